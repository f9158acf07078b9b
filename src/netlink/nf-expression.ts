// What rules of nf_tables consist of: expressions that load, compare and decide. include/uapi/linux/netfilter/nf_tables.h

import { type Attribute, be32, nested, text } from './attribute.ts';

const NFTA_LIST_ELEM = 1;
const NFTA_EXPR_NAME = 1;
const NFTA_EXPR_DATA = 2;

const NFTA_META_DREG = 1;
const NFTA_META_KEY = 2;
const NFT_META_IIFNAME = 6;

const NFTA_PAYLOAD_DREG = 1;
const NFTA_PAYLOAD_BASE = 2;
const NFTA_PAYLOAD_OFFSET = 3;
const NFTA_PAYLOAD_LEN = 4;
const NFT_PAYLOAD_LL_HEADER = 0;
const ETHER_SOURCE_OFFSET = 6;
const ETHER_ADDRESS_LENGTH = 6;

const NFTA_LOOKUP_SET = 1;
const NFTA_LOOKUP_SREG = 2;
const NFTA_LOOKUP_FLAGS = 5;
const NFT_LOOKUP_F_INV = 1;

const NFTA_IMMEDIATE_DREG = 1;
const NFTA_IMMEDIATE_DATA = 2;
const NFTA_DATA_VERDICT = 2;
const NFTA_VERDICT_CODE = 1;
const NFT_REG_VERDICT = 0;
const NF_DROP = 0;

/** Registers of 16 bytes that lie side by side, so that what is loaded into both is one key. */
export const REGISTER_1 = 1;
export const REGISTER_2 = 2;

function expression(name: string, ...data: readonly Attribute[]): Attribute {
	return nested(NFTA_LIST_ELEM, text(NFTA_EXPR_NAME, name), nested(NFTA_EXPR_DATA, ...data));
}

/** Loads the name of the interface by which the packet came, 16 bytes filled up with zeros. */
export function loadInputInterface(register: number): Attribute {
	return expression('meta', be32(NFTA_META_KEY, NFT_META_IIFNAME), be32(NFTA_META_DREG, register));
}

/** Loads the source address of the Ethernet frame, 6 bytes. */
export function loadEtherSource(register: number): Attribute {
	return expression(
		'payload',
		be32(NFTA_PAYLOAD_DREG, register),
		be32(NFTA_PAYLOAD_BASE, NFT_PAYLOAD_LL_HEADER),
		be32(NFTA_PAYLOAD_OFFSET, ETHER_SOURCE_OFFSET),
		be32(NFTA_PAYLOAD_LEN, ETHER_ADDRESS_LENGTH),
	);
}

/** Goes on with the rule only if the set has what is loaded, or, with `absent`, only if it has not. */
export function matchSet(set: string, register: number, options: { readonly absent?: boolean } = {}): Attribute {
	return expression(
		'lookup',
		text(NFTA_LOOKUP_SET, set),
		be32(NFTA_LOOKUP_SREG, register),
		be32(NFTA_LOOKUP_FLAGS, options.absent === true ? NFT_LOOKUP_F_INV : 0),
	);
}

/** Drops the packet. */
export function drop(): Attribute {
	return expression(
		'immediate',
		be32(NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT),
		nested(NFTA_IMMEDIATE_DATA, nested(NFTA_DATA_VERDICT, be32(NFTA_VERDICT_CODE, NF_DROP))),
	);
}
