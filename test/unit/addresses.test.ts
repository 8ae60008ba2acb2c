import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addressProblem, literalAddress } from "../../shared/addresses.ts";

const NEVER = [
  "169.254.169.254",
  "169.254.170.2",
  "100.100.100.200",
  "192.0.0.192",
  "fd00:ec2::254",
  "fe80::1",
  "0.0.0.0",
  "0.1.2.3",
  "::",
  "224.0.0.1",
  "ff02::1",
  "255.255.255.255",
  "::ffff:169.254.169.254",
  "::ffff:a9fe:a9fe",
];
const PRIVATE = [
  "127.0.0.1",
  "127.9.9.9",
  "10.1.2.3",
  "172.16.0.1",
  "172.31.255.255",
  "192.168.1.1",
  "100.64.0.1",
  "198.18.0.1",
  "192.0.2.1",
  "240.0.0.1",
  "::1",
  "fd12:3456::1",
  "fc00::1",
  "::ffff:127.0.0.1",
  "::ffff:7f00:1",
  "::127.0.0.1",
  "64:ff9b::7f00:1",
  "64:ff9b:1::1",
  "2002:7f00:1::",
  "2001:0:7f00:1::",
  "2001:db8::1",
  "100::1",
  "5f00::1",
];
const PUBLIC = ["1.1.1.1", "93.184.216.34", "172.15.0.1", "172.32.0.1", "2606:4700::1111"];

describe("an address", () => {
  test.each(NEVER)("%s is refused, whatever is allowed", (address) => {
    expect(addressProblem(address, false)).toBeDefined();
    expect(addressProblem(address, true)).toBeDefined();
  });

  test.each(PRIVATE)("%s is refused unless private ones are allowed", (address) => {
    expect(addressProblem(address, false)).toBeDefined();
    expect(addressProblem(address, true)).toBeUndefined();
  });

  test.each(PUBLIC)("%s is spoken to", (address) => {
    expect(addressProblem(address, false)).toBeUndefined();
  });

  test("in IPv6's clothes is judged as the IPv4 one that it is", () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.boolean(), (address, allowPrivate) => {
        const refused = addressProblem(address, allowPrivate) !== undefined;
        const parts = address.split(".").map(Number);
        const hex = (at: number) => ((parts[at] ?? 0) * 256 + (parts[at + 1] ?? 0)).toString(16);
        for (const mapped of [`::ffff:${address}`, `::ffff:${hex(0)}:${hex(2)}`]) {
          expect(addressProblem(mapped, allowPrivate) !== undefined).toBe(refused);
        }
      }),
    );
  });

  test("that is none is refused", () => {
    for (const text of ["", "localhost", "1.2.3", "1.1.1.1, 10.0.0.1", "fe80::1%eth0"]) {
      expect(addressProblem(text, false)).toBeDefined();
    }
  });
});

test.each([
  "http://127.0.0.1/",
  "http://127.1/",
  "http://2130706433/",
  "http://0x7f.1/",
  "http://0177.0.0.1/",
  "http://127.0.0.1./",
  "http://①②⑦.0.0.1/",
])("%s is loopback by any spelling", (text) => {
  const address = literalAddress(new URL(text));
  expect(addressProblem(address ?? "", false)).toContain("not a public address");
});

test("an address in brackets is read, a name is none", () => {
  expect(literalAddress(new URL("http://[::1]:80/"))).toBe("::1");
  expect(literalAddress(new URL("https://127.0.0.1.example/"))).toBeUndefined();
});
