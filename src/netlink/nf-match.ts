// Conditions in rules of nf_tables: a rule goes on only if they hold. include/uapi/linux/netfilter/nf_tables.h

import { type Attribute, be32, bytes, nested, text } from './attribute.ts';
import { expression, registerAt } from './nf-expression.ts';
import {
	connectionState,
	connectionStatus,
	destinationAddressType,
	etherType,
	load,
	networkProtocol,
	type Selector,
	sourceAddressType,
} from './nf-load.ts';

const NFTA_DATA_VALUE = 1;

const NFTA_CMP_SREG = 1;
const NFTA_CMP_OP = 2;
const NFTA_CMP_DATA = 3;
const NFT_CMP_EQ = 0;
const NFT_CMP_NEQ = 1;

const NFTA_RANGE_SREG = 1;
const NFTA_RANGE_OP = 2;
const NFTA_RANGE_FROM_DATA = 3;
const NFTA_RANGE_TO_DATA = 4;
const NFT_RANGE_EQ = 0;
const NFT_RANGE_NEQ = 1;

const NFTA_BITWISE_SREG = 1;
const NFTA_BITWISE_DREG = 2;
const NFTA_BITWISE_LEN = 3;
const NFTA_BITWISE_MASK = 4;
const NFTA_BITWISE_XOR = 5;

const NFTA_LOOKUP_SET = 1;
const NFTA_LOOKUP_SREG = 2;
const NFTA_LOOKUP_DREG = 3;
const NFTA_LOOKUP_FLAGS = 5;
const NFT_LOOKUP_F_INV = 1;

/** What all of these compare is in the first registers. */
const REGISTER = registerAt(0);

/** Turns a condition into its opposite. */
export interface Not {
	readonly not?: boolean;
}

/** The bytes of a number in the machine's byte order, as marks, states and address types are. */
export function hostNumber(value: number): Uint8Array {
	return Uint8Array.of(value, value >>> 8, value >>> 16, value >>> 24);
}

function compare(value: Uint8Array, operator: number): Attribute {
	return expression(
		'cmp',
		be32(NFTA_CMP_SREG, REGISTER),
		be32(NFTA_CMP_OP, operator),
		nested(NFTA_CMP_DATA, bytes(NFTA_DATA_VALUE, value)),
	);
}

/** The selector has these bytes; of an interface's name, fewer than all of 16 are its beginning. */
export function is(selector: Selector, value: Uint8Array, { not }: Not = {}): Attribute[] {
	return [...load(selector), compare(value, not === true ? NFT_CMP_NEQ : NFT_CMP_EQ)];
}

/** Of the bits in a mask, the selector has just these. */
export function hasBits(selector: Selector, mask: Uint8Array, value: Uint8Array, { not }: Not = {}): Attribute[] {
	const masked = expression(
		'bitwise',
		be32(NFTA_BITWISE_SREG, REGISTER),
		be32(NFTA_BITWISE_DREG, REGISTER),
		be32(NFTA_BITWISE_LEN, mask.length),
		nested(NFTA_BITWISE_MASK, bytes(NFTA_DATA_VALUE, mask)),
		nested(NFTA_BITWISE_XOR, bytes(NFTA_DATA_VALUE, new Uint8Array(mask.length))),
	);
	return [...load(selector), masked, compare(value, not === true ? NFT_CMP_NEQ : NFT_CMP_EQ)];
}

/** The selector lies between two values, which belong to the range; compared byte by byte, as network byte order wants it. */
export function isBetween(selector: Selector, from: Uint8Array, to: Uint8Array, { not }: Not = {}): Attribute[] {
	const range = expression(
		'range',
		be32(NFTA_RANGE_SREG, REGISTER),
		be32(NFTA_RANGE_OP, not === true ? NFT_RANGE_NEQ : NFT_RANGE_EQ),
		nested(NFTA_RANGE_FROM_DATA, bytes(NFTA_DATA_VALUE, from)),
		nested(NFTA_RANGE_TO_DATA, bytes(NFTA_DATA_VALUE, to)),
	);
	return [...load(selector), range];
}

/** An address lies in a network. */
export function isInNetwork(selector: Selector, network: Uint8Array, prefix: number, not: Not = {}): Attribute[] {
	const mask = network.map((_, at) => 0xff00 >> Math.max(0, Math.min(8, prefix - at * 8)));
	return hasBits(selector, mask, network, not);
}

/** The selectors, side by side, are an element of a set. */
export function isIn(set: string, selectors: readonly Selector[], { not }: Not = {}): Attribute[] {
	const flags = not === true ? [be32(NFTA_LOOKUP_FLAGS, NFT_LOOKUP_F_INV)] : [];
	const lookup = expression('lookup', text(NFTA_LOOKUP_SET, set), be32(NFTA_LOOKUP_SREG, REGISTER), ...flags);
	return [...load(...selectors), lookup];
}

/** A map has the selectors, side by side; what it has for them is in the first registers then. */
export function lookUp(map: string, selectors: readonly Selector[]): Attribute[] {
	const lookup = expression(
		'lookup',
		text(NFTA_LOOKUP_SET, map),
		be32(NFTA_LOOKUP_SREG, REGISTER),
		be32(NFTA_LOOKUP_DREG, REGISTER),
	);
	return [...load(...selectors), lookup];
}

/** In a table of the family inet: the packet is of NFPROTO_IPV4 or NFPROTO_IPV6. To be said before its header is looked at. */
export function isFamily(family: number): Attribute[] {
	return is(networkProtocol, Uint8Array.of(family));
}

/** In a table of the family bridge: the frame carries this, ETH_P_ARP for one. To be said before its header is looked at. */
export function carries(type: number): Attribute[] {
	return is(etherType, Uint8Array.of(type >> 8, type));
}

/** include/uapi/linux/if_ether.h */
export const ETH_P_IP = 0x0800;
export const ETH_P_ARP = 0x0806;
export const ETH_P_IPV6 = 0x86dd;

/** The states of a connection as nf_tables has them, NF_CT_STATE_BIT of include/uapi/linux/netfilter/nf_conntrack_common.h. */
export const STATE_INVALID = 1;
export const STATE_ESTABLISHED = 2;
export const STATE_RELATED = 4;
export const STATE_NEW = 8;

/** The packet's connection is in one of these states. */
export function isState(states: number): Attribute[] {
	return hasBits(connectionState, hostNumber(states), hostNumber(0), { not: true });
}

const IPS_DST_NAT = 0x20;

/** The packet belongs to a connection whose destination was translated. */
export function isDestinationTranslated(): Attribute[] {
	return hasBits(connectionStatus, hostNumber(IPS_DST_NAT), hostNumber(0), { not: true });
}

const RTN_LOCAL = 2;

/** The packet goes to an address of this host. */
export function isToLocal(not: Not = {}): Attribute[] {
	return is(destinationAddressType, hostNumber(RTN_LOCAL), not);
}

/** The packet comes from an address of this host. */
export function isFromLocal(not: Not = {}): Attribute[] {
	return is(sourceAddressType, hostNumber(RTN_LOCAL), not);
}
