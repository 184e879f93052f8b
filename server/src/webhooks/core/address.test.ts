import { describe, expect, test } from "vitest";
import { faultOfUrl } from "./endpoint-url.js";
import { whyNotPublic } from "./public-address.js";

describe("addresses", () => {
  test.each([
    ["0.0.0.0", /this network/],
    ["0.1.2.3", /this network/],
    ["10.0.0.1", /private/],
    ["10.255.255.255", /private/],
    ["100.64.0.1", /CGNAT/],
    ["100.127.255.255", /CGNAT/],
    ["100.100.100.200", /CGNAT/],
    ["127.0.0.1", /loopback/],
    ["127.255.255.254", /loopback/],
    ["168.63.129.16", /metadata/],
    ["169.254.169.254", /metadata/],
    ["169.254.170.2", /metadata/],
    ["172.16.0.1", /private/],
    ["172.31.255.255", /private/],
    ["192.0.0.192", /protocols/],
    ["192.0.2.1", /documentation/],
    ["192.88.99.1", /6to4/],
    ["192.168.1.1", /private/],
    ["198.18.0.1", /benchmarks/],
    ["198.19.255.255", /benchmarks/],
    ["198.51.100.7", /documentation/],
    ["203.0.113.7", /documentation/],
    ["224.0.0.1", /multicast/],
    ["239.255.255.255", /multicast/],
    ["240.0.0.1", /reserved/],
    ["255.255.255.255", /broadcast/],
    ["::", /unspecified/],
    ["::1", /loopback/],
    ["0:0:0:0:0:0:0:1", /loopback/],
    ["::ffff:127.0.0.1", /mapped/],
    ["::ffff:8.8.8.8", /mapped/],
    ["::ffff:a9fe:a9fe", /mapped/],
    ["::127.0.0.1", /IPv4 within IPv6/],
    ["64:ff9b::7f00:1", /NAT64/],
    ["64:ff9b::8.8.8.8", /NAT64/],
    ["64:ff9b:1::1", /NAT64/],
    ["100::1", /discarded/],
    ["2001::1", /protocols/],
    ["2001:db8::1", /documentation/],
    ["2002:7f00:1::1", /6to4/],
    ["3fff::1", /documentation/],
    ["5f00::1", /segment routing/],
    ["fc00::1", /unique local/],
    ["fd12:3456::1", /unique local/],
    ["fe80::1", /link-local/],
    ["fe80::1%eth0", /one link/],
    ["febf::1", /link-local/],
    ["fec0::1", /site-local/],
    ["ff02::1", /multicast/],
    ["4000::1", /not given out/],
    ["::2:3", /within IPv6/],
    ["1::1", /not given out/],
    ["example.com", /no address/],
    ["", /no address/],
  ])("%s is refused", (address, why) => {
    expect(whyNotPublic(address)).toMatch(why);
  });

  test.each([
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.1",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.1",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2001:200::1",
    "2001:4860:4860::8888",
    "2606:4700:4700::1111",
    "2a00:1450:4001:81b::200e",
    "2003::1",
  ])("%s is public", (address) => {
    expect(whyNotPublic(address)).toBeUndefined();
  });
});

describe("a URL", () => {
  const fault = (url: string, allowPrivate = false) => faultOfUrl(url, { allowPrivate });

  test.each([
    "https://example.com",
    "https://example.com:8443/hooks?tenant=1",
    "https://8.8.8.8/",
    "https://[2606:4700:4700::1111]/",
  ])("%s may be", (url) => {
    expect(fault(url)).toBeUndefined();
  });

  test.each([
    ["", /not a URL/],
    ["example.com/hooks", /not a URL/],
    ["http://example.com", /https/],
    ["ftp://example.com", /https/],
    ["file:///etc/passwd", /https/],
    ["https://user@example.com", /user or password/],
    ["https://:secret@example.com", /user or password/],
    ["https://example.com/#top", /fragment/],
    ["https://localhost", /this machine/],
    ["https://LOCALHOST./", /this machine/],
    ["https://api.localhost/", /this machine/],
    ["https://127.0.0.1/", /loopback/],
    ["https://2130706433/", /127\.0\.0\.1 leads to an address that is loopback/],
    ["https://0x7f.1/", /loopback/],
    ["https://017700000001/", /loopback/],
    ["https://0/", /this network/],
    ["https://169.254.169.254/latest/meta-data", /metadata/],
    ["https://[::1]/", /loopback/],
    ["https://[::ffff:10.0.0.1]/", /mapped/],
    ["https://①②⑦.0.0.1/", /loopback/],
    [`https://example.com/${"a".repeat(2048)}`, /2048 characters/],
  ])("%s is refused", (url, why) => {
    expect(fault(url)).toMatch(why);
  });

  test("in development http and private addresses may be, users may not", () => {
    expect(fault("http://127.0.0.1:9000/hooks", true)).toBeUndefined();
    expect(fault("http://localhost:9000/hooks", true)).toBeUndefined();
    expect(fault("http://user@localhost:9000/hooks", true)).toMatch(/user/);
    expect(fault("ftp://localhost/", true)).toMatch(/https/);
  });
});
