// What rules of nf_tables do with packets for which their conditions hold. include/uapi/linux/netfilter/nf_tables.h

import { type Attribute, be32, bytes, nested, text } from './attribute.ts';
import { expression, registerAt } from './nf-expression.ts';
import type { Selector } from './nf-load.ts';
import { hostNumber, lookUp } from './nf-match.ts';
import { NFPROTO_IPV4 } from './nf-message.ts';

const NFTA_IMMEDIATE_DREG = 1;
const NFTA_IMMEDIATE_DATA = 2;
const NFTA_DATA_VALUE = 1;
const NFTA_DATA_VERDICT = 2;
const NFTA_VERDICT_CODE = 1;
const NFTA_VERDICT_CHAIN = 2;
const NFT_REG_VERDICT = 0;

const NF_DROP = 0;
const NF_ACCEPT = 1;
const NFT_JUMP = -3;
const NFT_GOTO = -4;
const NFT_RETURN = -5;

const NFTA_NAT_TYPE = 1;
const NFTA_NAT_FAMILY = 2;
const NFTA_NAT_REG_ADDR_MIN = 3;
const NFTA_NAT_REG_PROTO_MIN = 5;
const NFT_NAT_DNAT = 1;

const NFTA_MASQ_FLAGS = 1;

const NFTA_META_KEY = 2;
const NFTA_META_SREG = 3;
const NFT_META_MARK = 3;

const NFTA_PAYLOAD_BASE = 2;
const NFTA_PAYLOAD_OFFSET = 3;
const NFTA_PAYLOAD_LEN = 4;
const NFTA_PAYLOAD_SREG = 5;
const NFTA_PAYLOAD_CSUM_TYPE = 6;
const NFTA_PAYLOAD_CSUM_OFFSET = 7;
const NFTA_PAYLOAD_CSUM_FLAGS = 8;
const NFT_PAYLOAD_CSUM_NONE = 0;
const NFT_PAYLOAD_CSUM_INET = 1;
const NFT_PAYLOAD_L4CSUM_PSEUDOHDR = 1;
/** The checksum of an IPv4 header, struct iphdr. */
const CHECKSUM_OFFSET = 10;
const IPV4_LENGTH = 4;

/** For {@link masquerade}: another port for each connection, and a random one. include/uapi/linux/netfilter/nf_nat.h */
export const NF_NAT_RANGE_PROTO_RANDOM_FULLY = 0x10;

function verdict(code: number, chain?: string): Attribute {
	const attributes = [be32(NFTA_VERDICT_CODE, code)];
	if (chain !== undefined) attributes.push(text(NFTA_VERDICT_CHAIN, chain));
	return expression(
		'immediate',
		be32(NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT),
		nested(NFTA_IMMEDIATE_DATA, nested(NFTA_DATA_VERDICT, ...attributes)),
	);
}

/** Lets the packet pass, as far as this hook and priority are concerned. */
export function accept(): Attribute {
	return verdict(NF_ACCEPT);
}

/** Drops the packet. */
export function drop(): Attribute {
	return verdict(NF_DROP);
}

/** Goes back to the rule behind the jump, or from a chain at a hook to its policy. */
export function giveBack(): Attribute {
	return verdict(NFT_RETURN);
}

/** Goes on in another chain, and comes back at its end. */
export function jump(chain: string): Attribute {
	return verdict(NFT_JUMP, chain);
}

/** Goes on in another chain for good. */
export function goTo(chain: string): Attribute {
	return verdict(NFT_GOTO, chain);
}

/** Counts packets and bytes. */
export function counter(): Attribute {
	return expression('counter');
}

function setRegister(value: Uint8Array): Attribute {
	const data = nested(NFTA_IMMEDIATE_DATA, bytes(NFTA_DATA_VALUE, value));
	return expression('immediate', be32(NFTA_IMMEDIATE_DREG, registerAt(0)), data);
}

/** Marks the packet. */
export function setMark(value: number): Attribute[] {
	const mark = expression('meta', be32(NFTA_META_KEY, NFT_META_MARK), be32(NFTA_META_SREG, registerAt(0)));
	return [setRegister(hostNumber(value)), mark];
}

/**
 * Writes another address into the packet, one of the selectors of an IP address, with its checksums. Nobody remembers it: this
 * is no address translation, and the replies have to be written to, too.
 */
export function rewriteAddress(selector: Selector, address: Uint8Array): Attribute[] {
	return [setRegister(address), writeAddress(selector)];
}

/** The same with what a map has for the selectors, side by side. Goes on with the next rule when it has nothing for them. */
export function rewriteAddressFrom(map: string, selector: Selector, selectors: readonly Selector[]): Attribute[] {
	return [...lookUp(map, selectors), writeAddress(selector)];
}

function writeAddress({ length, parameters: [base = 0, offset = 0] }: Selector): Attribute {
	const isIpv4 = length === IPV4_LENGTH;
	return expression(
		'payload',
		be32(NFTA_PAYLOAD_SREG, registerAt(0)),
		be32(NFTA_PAYLOAD_BASE, base),
		be32(NFTA_PAYLOAD_OFFSET, offset),
		be32(NFTA_PAYLOAD_LEN, length),
		be32(NFTA_PAYLOAD_CSUM_TYPE, isIpv4 ? NFT_PAYLOAD_CSUM_INET : NFT_PAYLOAD_CSUM_NONE),
		be32(NFTA_PAYLOAD_CSUM_OFFSET, isIpv4 ? CHECKSUM_OFFSET : 0),
		be32(NFTA_PAYLOAD_CSUM_FLAGS, NFT_PAYLOAD_L4CSUM_PSEUDOHDR),
	);
}

/**
 * Sends a connection to the address and port that a map has for the selectors, side by side. Goes on with the next rule when
 * it has nothing for them. In a table of the family inet, packets of the other family pass unchanged.
 */
export function translateDestination(family: number, map: string, selectors: readonly Selector[]): Attribute[] {
	const addressLength = family === NFPROTO_IPV4 ? 4 : 16;
	return [
		...lookUp(map, selectors),
		expression(
			'nat',
			be32(NFTA_NAT_TYPE, NFT_NAT_DNAT),
			be32(NFTA_NAT_FAMILY, family),
			be32(NFTA_NAT_REG_ADDR_MIN, registerAt(0)),
			be32(NFTA_NAT_REG_PROTO_MIN, registerAt(addressLength)),
		),
	];
}

/** Gives a connection the address of the interface by which it leaves. */
export function masquerade(flags = 0): Attribute {
	return expression('masq', ...(flags === 0 ? [] : [be32(NFTA_MASQ_FLAGS, flags)]));
}
