/** Where e-invoices of a party go: an identifier in a scheme of the code list EAS, written "0204:991-01234-56". */
export interface ElectronicAddress {
  readonly scheme: string;
  readonly value: string;
}

/** The code list Electronic Address Scheme (EAS), as in release 1.3.15 of the standard's validation: ICDs, 99xx, EM for e-mail. */
const schemes = new Set(
  (
    "0002 0007 0009 0037 0060 0088 0096 0097 0106 0130 0135 0142 0147 0151 0154 0158 0170 0177 0183 0184 0188 0190 " +
    "0191 0192 0193 0194 0195 0196 0198 0199 0200 0201 0202 0203 0204 0205 0208 0209 0210 0211 0212 0213 0215 0216 " +
    "0217 0218 0219 0220 0221 0225 0230 0235 0240 0244 " +
    "9910 9913 9914 9915 9918 9919 9920 9922 9923 9924 9925 9926 9927 9928 9929 9930 9931 9932 9933 9934 9935 9936 " +
    "9937 9938 9939 9940 9941 9942 9943 9944 9945 9946 9947 9948 9949 9950 9951 9952 9953 9957 9959 " +
    "AN AQ AS AU EM"
  ).split(" "),
);

/** Those of them by which nobody is found in the Peppol network, as of its release 2026.5. */
const outsideOfPeppol = new Set(
  (
    "0037 0147 0154 0158 0170 0177 0193 0194 0202 0203 0205 0212 0213 0215 0217 0219 0220 " + "AN AQ AS AU EM"
  ).split(" "),
);

const value_length_max = 256;

/** The address, or what is wrong with the text. */
export function parseElectronicAddress(
  text: string,
): { readonly ok: true; readonly value: ElectronicAddress } | { readonly ok: false; readonly fault: string } {
  const trimmed = text.trim();
  const colon = trimmed.indexOf(":");
  const scheme = trimmed.slice(0, Math.max(colon, 0)).toUpperCase();
  const value = trimmed.slice(colon + 1);
  if (!schemes.has(scheme)) {
    const fault = `"${trimmed.slice(0, 40)}" does not begin with a scheme of the code list EAS and a colon, such as 0204:991-01234-56, 9930:DE123456789 or EM:billing@acme.example`;
    return { ok: false, fault };
  }
  if (!/^[\x21-\x7e]+$/.test(value) || value.length > value_length_max)
    return {
      ok: false,
      fault: `after "${scheme}:" there must be 1 to ${value_length_max} characters of ASCII without blanks`,
    };
  return { ok: true, value: { scheme, value } };
}

/** Whether an address can be one of the Peppol network. */
export function isInPeppol({ scheme }: ElectronicAddress): boolean {
  return !outsideOfPeppol.has(scheme);
}

export function formatElectronicAddress({ scheme, value }: ElectronicAddress): string {
  return `${scheme}:${value}`;
}
