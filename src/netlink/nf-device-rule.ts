// The rule that accepts whatever comes from an interface, or goes to it: in the expressions that iptables-nft makes of
// `-i <interface> -j ACCEPT` and `-o <interface> -j ACCEPT`, so that iptables shows it as one of its own.

import { type Attribute, be32, bytes } from './attribute.ts';
import { accept, counter } from './nf-action.ts';
import { inputInterface, outputInterface } from './nf-load.ts';
import { is } from './nf-match.ts';

/** Whether packets come from the interface or go to it. */
export type Direction = 'in' | 'out';

const SELECTORS = { in: inputInterface, out: outputInterface };

const NFTA_META_KEY = 2;
const NFTA_CMP_OP = 2;
const NFTA_DATA_VALUE = 1;
const NFTA_VERDICT_CODE = 1;
const NFT_CMP_EQ = 0;
const NF_ACCEPT = 1;

/** include/uapi/linux/if.h */
const IFNAMSIZ = 16;

/** Of an expression in a list, before its name. */
const HEADERS = 8;

/** The expressions of the rule. */
export function acceptDevice(direction: Direction, device: string): Attribute[] {
	return [...is(SELECTORS[direction], Buffer.from(`${device}\0`)), counter(), accept()];
}

/**
 * Whether the expressions of a rule are these, counted or not. What they work on is looked for, not decoded: that would be
 * so many calls that the compiler starts, in each ADD on a host with Docker.
 */
export function acceptsDevice(expressions: Buffer, direction: Direction, device: string): boolean {
	// With its zero, as iptables compares a name, or with all zeros behind it, as nft does.
	const name = Buffer.alloc(IFNAMSIZ);
	const names = [name.subarray(0, name.write(device) + 1), name];
	if (!names.some((each) => expressions.includes(bytes(NFTA_DATA_VALUE, each)))) return false;
	const wanted = [
		{ name: 'meta\0', data: be32(NFTA_META_KEY, SELECTORS[direction].parameters[0] ?? 0) },
		{ name: 'cmp\0', data: be32(NFTA_CMP_OP, NFT_CMP_EQ) },
		{ name: 'immediate\0', data: be32(NFTA_VERDICT_CODE, NF_ACCEPT) },
	];
	let at = 0;
	for (let offset = 0; offset + HEADERS < expressions.length;) {
		const length = (expressions[offset] ?? 0) | ((expressions[offset + 1] ?? 0) << 8);
		const expression = expressions.subarray(offset + HEADERS, offset + length);
		offset += Math.max((length + 3) & ~3, HEADERS);
		if (expression.indexOf('counter\0') === 0) continue;
		const next = wanted[at++];
		if (next === undefined || expression.indexOf(next.name) !== 0 || !expression.includes(next.data)) return false;
	}
	return at === wanted.length;
}
