import { expect, test } from "vitest";
import { signRequest } from "../../../shared/adapters/aws/sign-request.ts";

const CREDENTIALS = {
  accessKeyId: "AKIDEXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
};

test("a signature is the one that AWS' own test suite has for a POST with a body", () => {
  // post-x-www-form-urlencoded of https://github.com/awslabs/aws-c-auth/tree/main/tests/aws-signing-test-suite
  const headers = signRequest(
    {
      method: "POST",
      url: new URL("https://example.amazonaws.com/"),
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: "Param1=value1",
      region: "us-east-1",
      service: "service",
      nowMs: Date.parse("2015-08-30T12:36:00Z"),
    },
    CREDENTIALS,
  );
  expect(headers["authorization"]).toBe(
    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
  );
});

test("a session token is sent and signed", () => {
  const request = {
    method: "POST",
    url: new URL("https://example.amazonaws.com/a%3Ab/"),
    headers: {},
    body: "",
    region: "us-east-1",
    service: "service",
    nowMs: 0,
  } as const;
  const headers = signRequest(request, { ...CREDENTIALS, sessionToken: "session" });
  expect(headers).toMatchObject({ "x-amz-security-token": "session" });
  expect(headers["authorization"]).toContain("SignedHeaders=host;x-amz-date;x-amz-security-token,");
});

test("a query is signed in its order by name", () => {
  // get-vanilla-query-order-key-case of the same suite
  const headers = signRequest(
    {
      method: "GET",
      url: new URL("https://example.amazonaws.com/?Param2=value2&Param1=value1"),
      headers: {},
      body: "",
      region: "us-east-1",
      service: "service",
      nowMs: Date.parse("2015-08-30T12:36:00Z"),
    },
    CREDENTIALS,
  );
  expect(headers["authorization"]).toContain(
    "Signature=b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
  );
});
