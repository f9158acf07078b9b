// Addresses with the length of their prefix, and the networks that they belong to. RFC 4632, RFC 4291 §2.3

import { parseIp } from './address.ts';

export interface Cidr {
	/** 4 or 16 bytes. */
	readonly ip: Uint8Array;
	readonly prefix: number;
}

/** `address/length`, or undefined when the text is no such thing. */
export function parseCidr(text: string): Cidr | undefined {
	const slash = text.indexOf('/');
	if (slash === -1) return undefined;
	const ip = parseIp(text.slice(0, slash));
	const length = text.slice(slash + 1);
	const prefix = Number(length);
	if (ip === undefined || !Number.isInteger(prefix) || String(prefix) !== length) return undefined;
	if (prefix < 0 || prefix > ip.length * 8) return undefined;
	return { ip, prefix };
}

/** The address of a network: with its host bits zero. */
export function networkOf({ ip, prefix }: Cidr): Uint8Array {
	const network = ip.slice();
	for (let at = 0; at < ip.length; at++) network[at] = (ip[at] ?? 0) & ~hostBits(prefix, at);
	return network;
}

/** The first address after that of the network itself; undefined when there is no room for another one beside it. */
export function firstOf({ ip, prefix }: Cidr): Uint8Array | undefined {
	if (prefix > ip.length * 8 - 2) return undefined;
	const first = networkOf({ ip, prefix });
	const last = first.length - 1;
	first[last] = (first[last] ?? 0) + 1;
	return first;
}

/** The last address of a network: with its host bits one. */
export function lastOf({ ip, prefix }: Cidr): Uint8Array {
	const last = ip.slice();
	for (let at = 0; at < ip.length; at++) last[at] = (ip[at] ?? 0) | hostBits(prefix, at);
	return last;
}

/** The bits that a prefix leaves to the hosts in byte number `at`. */
function hostBits(prefix: number, at: number): number {
	return 0xff >> Math.max(0, Math.min(8, prefix - at * 8));
}

/** Whether a network holds an address. */
export function contains({ ip, prefix }: Cidr, address: Uint8Array): boolean {
	return ip.length === address.length && sameBytes(networkOf({ ip, prefix }), networkOf({ ip: address, prefix }));
}

/** Whether two texts are the same address, however written, or both absent. */
export function sameIp(left: string | undefined, right: string | undefined): boolean {
	if (left === right || left === undefined || right === undefined) return left === right;
	return sameBytes(parseIp(left), parseIp(right));
}

/** Whether two texts are the same address with the same length, however written. */
export function sameCidr(left: string, right: string): boolean {
	if (left === right) return true;
	const [one, other] = [parseCidr(left), parseCidr(right)];
	return one?.prefix === other?.prefix && sameBytes(one?.ip, other?.ip);
}

/** Whether two texts are the same network, whatever their host bits. */
export function sameNetwork(left: string, right: string): boolean {
	if (left === right) return true;
	const [one, other] = [parseCidr(left), parseCidr(right)];
	return one !== undefined && other !== undefined && one.prefix === other.prefix && contains(one, other.ip);
}

function sameBytes(left: Uint8Array | undefined, right: Uint8Array | undefined): boolean {
	if (left === undefined || left.length !== right?.length) return false;
	for (let at = 0; at < left.length; at++) if (left[at] !== right[at]) return false;
	return true;
}
