import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

export interface CertificateWish {
  readonly name: string;
  /** DNS names and IPv4 addresses. */
  readonly hosts?: readonly string[];
  readonly from?: Date;
  readonly until?: Date;
  readonly authority?: boolean;
}

export interface Authority extends Certificate {
  issue(wish: CertificateWish): Certificate;
}

const HOUR_MS = 3_600_000;

/** Certificates made at test time, in the few lines of DER that they need, so that no tool has to be installed. */
export function createAuthority(name: string): Authority {
  const { publicKey, privateKey } = newKeys();
  const cert = certificate({ name, authority: true }, publicKey, name, privateKey);
  return {
    cert,
    key: pem(privateKey),
    issue(wish) {
      const keys = newKeys();
      return { key: pem(keys.privateKey), cert: certificate(wish, keys.publicKey, name, privateKey) };
    },
  };
}

export function selfSigned(wish: CertificateWish): Certificate {
  const { publicKey, privateKey } = newKeys();
  return { key: pem(privateKey), cert: certificate(wish, publicKey, wish.name, privateKey) };
}

function newKeys(): { publicKey: KeyObject; privateKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
}

function pem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

const ECDSA_WITH_SHA256 = sequence(oid('2a8648ce3d040302'));

function certificate(wish: CertificateWish, subjectKey: KeyObject, issuer: string, issuerKey: KeyObject): string {
  const { name, hosts = [], authority = false } = wish;
  const { from = new Date(Date.now() - HOUR_MS), until = new Date(Date.now() + 24 * HOUR_MS) } = wish;
  const extensions = [extension('551d13', sequence(...(authority ? [der(0x01, Buffer.from([0xff]))] : [])))];
  if (hosts.length > 0) extensions.push(extension('551d11', sequence(...hosts.map(alternativeName))));
  const toBeSigned = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ECDSA_WITH_SHA256,
    distinguishedName(issuer),
    sequence(time(from), time(until)),
    distinguishedName(name),
    subjectKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions)),
  );
  const signature = der(0x03, Buffer.concat([Buffer.from([0]), sign('sha256', toBeSigned, issuerKey)]));
  const base64 = sequence(toBeSigned, ECDSA_WITH_SHA256, signature).toString('base64');
  return `-----BEGIN CERTIFICATE-----\n${base64.replaceAll(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`;
}

function extension(id: string, value: Buffer): Buffer {
  return sequence(oid(id), der(0x04, value));
}

function alternativeName(host: string): Buffer {
  if (/^[\d.]+$/.test(host)) return der(0x87, Buffer.from(host.split('.').map(Number)));
  return der(0x82, Buffer.from(host, 'ascii'));
}

function distinguishedName(commonName: string): Buffer {
  return sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(commonName, 'utf8')))));
}

/** GeneralizedTime. */
function time(date: Date): Buffer {
  return der(0x18, Buffer.from(`${date.toISOString().replaceAll(/[-:T]|\.\d+/g, '')}`, 'ascii'));
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'));
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const header =
    length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(header), content]);
}
