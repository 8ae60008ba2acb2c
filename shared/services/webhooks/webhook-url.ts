import { addressProblem, literalAddress } from "../../addresses.ts";

/** What is wrong with a receiver's URL as it is written. Where a name leads is looked at when it is sent to. */
export function urlProblem(text: string, allowPrivate: boolean): string | undefined {
  if (!URL.canParse(text)) return "is not a URL";
  const url = new URL(text);
  const isHttp = url.protocol === "http:";
  if (!isHttp && url.protocol !== "https:") return "must start with https://";
  if (isHttp && !allowPrivate) {
    return "must start with https:// (the operator may allow http with --webhooks-private)";
  }
  // It would show in lists; a receiver knows us by the signature.
  if (url.username !== "" || url.password !== "") {
    return "must not hold a user name or password; check the signature instead";
  }
  if (url.hash !== "") return "must not have a fragment";
  const address = literalAddress(url);
  const problem = address === undefined ? undefined : addressProblem(address, allowPrivate);
  return problem === undefined ? undefined : `leads to ${address}, which ${problem}`;
}
