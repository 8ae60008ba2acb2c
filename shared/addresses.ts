import { lookup } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";

/** An address that we do not speak to. The message is for whoever configured it. */
export class AddressRefusedError extends Error {
  override readonly name = "AddressRefusedError";
}

type Subnet = readonly [network: string, prefix: number, family: "ipv4" | "ipv6"];

/** What holds credentials of the machine that we run on, or is no single host: refused whatever is allowed. */
const NEVER: readonly Subnet[] = [
  ["0.0.0.0", 8, "ipv4"],
  // The link-local range with the metadata services of AWS (also ECS), Azure and Google Cloud.
  ["169.254.0.0", 16, "ipv4"],
  // Metadata services of Alibaba and of Oracle, and IPv6 ones of AWS.
  ["100.100.100.200", 32, "ipv4"],
  ["192.0.0.192", 32, "ipv4"],
  ["fd00:ec2::", 32, "ipv6"],
  ["224.0.0.0", 4, "ipv4"],
  ["255.255.255.255", 32, "ipv4"],
  ["::", 128, "ipv6"],
  ["fe80::", 10, "ipv6"],
  ["ff00::", 8, "ipv6"],
];

/**
 * Not globally reachable by the registries of special-purpose addresses, or a way around them:
 * https://www.iana.org/assignments/iana-ipv4-special-registry and …/iana-ipv6-special-registry.
 */
const PRIVATE: readonly Subnet[] = [
  ["10.0.0.0", 8, "ipv4"],
  ["100.64.0.0", 10, "ipv4"],
  ["127.0.0.0", 8, "ipv4"],
  ["172.16.0.0", 12, "ipv4"],
  ["192.0.0.0", 24, "ipv4"],
  ["192.0.2.0", 24, "ipv4"],
  ["192.88.99.0", 24, "ipv4"],
  ["192.168.0.0", 16, "ipv4"],
  ["198.18.0.0", 15, "ipv4"],
  ["198.51.100.0", 24, "ipv4"],
  ["203.0.113.0", 24, "ipv4"],
  ["240.0.0.0", 4, "ipv4"],
  // Everything but global unicast (2000::/3): loopback, unique local, NAT64, mapped and discarded ones.
  ["::", 3, "ipv6"],
  ["4000::", 2, "ipv6"],
  ["8000::", 1, "ipv6"],
  // Teredo and the rest of the protocol assignments, documentation, and 6to4, which holds any IPv4 address.
  ["2001::", 23, "ipv6"],
  ["2001:db8::", 32, "ipv6"],
  ["2002::", 16, "ipv6"],
  ["3fff::", 20, "ipv6"],
];

/** One list a family: a `BlockList` takes IPv4 addresses for mapped IPv6 ones, and `::/3` would hold them all. */
function listsOf(subnets: readonly Subnet[]) {
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const [network, prefix, family] of subnets) {
    lists[family].addSubnet(network, prefix, family);
  }
  return lists;
}

const never = listsOf(NEVER);
const notPublic = listsOf(PRIVATE);
const IPV4_INSIDE = /^::ffff:(\d+\.\d+\.\d+\.\d+)$|^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i;

/** IPv4 in IPv6's clothes is judged as what it is. */
function unmapped(address: string): string {
  const [, dotted, high, low] = IPV4_INSIDE.exec(address) ?? [];
  if (dotted !== undefined) return dotted;
  if (high === undefined || low === undefined) return address;
  const value = [high, low].map((part) => Number.parseInt(part, 16));
  return value.flatMap((part) => [part >> 8, part & 255]).join(".");
}

/**
 * Why we do not speak to an IP address; `undefined` when we do. `allowPrivate` opens loopback and private
 * networks, never link-local addresses and metadata services.
 */
export function addressProblem(address: string, allowPrivate: boolean): string | undefined {
  const plain = unmapped(address);
  const version = isIP(plain);
  if (version === 0) return "is no IP address";
  const family = version === 4 ? "ipv4" : "ipv6";
  if (never[family].check(plain, family))
    return "is link-local, a metadata service or no single host";
  if (!allowPrivate && notPublic[family].check(plain, family)) return "is not a public address";
  return undefined;
}

/** The host of a URL as an IP address; `undefined` for a name. The URL parser has made `0x7f.1` and friends plain. */
export function literalAddress(url: URL): string | undefined {
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  return isIP(host) === 0 ? undefined : host;
}

/**
 * A `lookup` for `node:net` that gives only addresses which we may speak to. The socket connects to what this
 * gives, so no second answer of the DNS can lead it elsewhere.
 */
export function checkedLookup(allowPrivate: boolean): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) {
        callback(error, []);
        return;
      }
      const allowed = addresses.filter(
        ({ address }) => addressProblem(address, allowPrivate) === undefined,
      );
      const [first] = allowed;
      if (first === undefined) {
        callback(new AddressRefusedError(`${hostname} leads to no public address`), []);
      } else if (options.all === true) {
        callback(null, allowed);
      } else {
        callback(null, first.address, first.family);
      }
    });
  };
}
