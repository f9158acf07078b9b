// What rules of nf_tables consist of: expressions, which work on registers. include/uapi/linux/netfilter/nf_tables.h

import { type Attribute, nested, text } from './attribute.ts';
import { NFTA_LIST_ELEM } from './nf-message.ts';

const NFTA_EXPR_NAME = 1;
const NFTA_EXPR_DATA = 2;
const NFT_REG_1 = 1;
const NFT_REG32_00 = 8;

/** One expression, as a member of a rule's list. */
export function expression(name: string, ...data: readonly Attribute[]): Attribute {
	return nested(NFTA_LIST_ELEM, text(NFTA_EXPR_NAME, name), nested(NFTA_EXPR_DATA, ...data));
}

/**
 * The kernel's number of the register that begins so many bytes behind the first one; a multiple of four, below 64. Those
 * at multiples of 16 have an older number, too, which the kernel and nft prefer.
 */
export function registerAt(offset: number): number {
	return offset % 16 === 0 ? NFT_REG_1 + offset / 16 : NFT_REG32_00 + offset / 4;
}
