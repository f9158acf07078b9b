// What rules of nf_tables look at, and how it gets into registers. include/uapi/linux/netfilter/nf_tables.h

import { type Attribute, be32 } from './attribute.ts';
import { expression, registerAt } from './nf-expression.ts';

// Of meta, payload, ct and fib alike: the register is the first attribute, and what to load is said by the next ones.
const DESTINATION_REGISTER = 1;
const FIRST_PARAMETER = 2;

/** Something of a packet. */
export interface Selector {
	/** In bytes. */
	readonly length: number;
	/** Of the expression that loads it: its name, and its numbers in the order of their attributes. */
	readonly by: 'meta' | 'payload' | 'ct' | 'fib';
	readonly parameters: readonly number[];
}

const meta = (length: number, key: number): Selector => ({ length, by: 'meta', parameters: [key] });
const ct = (length: number, key: number): Selector => ({ length, by: 'ct', parameters: [key] });
/** `base` is NFT_PAYLOAD_LL_HEADER (0), NFT_PAYLOAD_NETWORK_HEADER (1) or NFT_PAYLOAD_TRANSPORT_HEADER (2). */
const payload = (length: number, base: number, offset: number): Selector => ({
	length,
	by: 'payload',
	parameters: [base, offset, length],
});

// enum nft_meta_keys. Numbers of 16 bits are in network byte order, the mark in the machine's.
export const protocol = meta(2, 1);
export const mark = meta(4, 3);
export const inputInterface = meta(16, 6);
export const outputInterface = meta(16, 7);
/** One of NFPROTO_IPV4 and NFPROTO_IPV6, in tables of the family inet. */
export const networkProtocol = meta(1, 15);
export const transportProtocol = meta(1, 16);

// enum nft_ct_keys; numbers in the machine's byte order.
export const connectionState = ct(4, 0);
export const connectionStatus = ct(4, 2);
export const connectionMark = ct(4, 3);

// struct ethhdr, struct iphdr, struct ipv6hdr
export const etherDestination = payload(6, 0, 0);
export const etherSource = payload(6, 0, 6);
export const etherType = payload(2, 0, 12);
export const ipSource = payload(4, 1, 12);
export const ipDestination = payload(4, 1, 16);
export const ip6Source = payload(16, 1, 8);
export const ip6Destination = payload(16, 1, 24);
/** Of TCP, UDP, SCTP and others alike. */
export const sourcePort = payload(2, 2, 0);
export const destinationPort = payload(2, 2, 2);

// RFC 826 for Ethernet and IPv4
export const arpSenderMac = payload(6, 1, 8);
export const arpSenderIp = payload(4, 1, 14);

// RFC 4861 §4.3 and §4.4: the type of the message, and whom a solicitation or an advertisement is about
export const icmpv6Type = payload(1, 2, 0);
export const neighbourTarget = payload(16, 2, 8);

const NFT_FIB_RESULT_ADDRTYPE = 3;
const NFTA_FIB_F_SADDR = 1;
const NFTA_FIB_F_DADDR = 2;

/** RTN_LOCAL for one, include/uapi/linux/rtnetlink.h, in the machine's byte order. */
export const sourceAddressType: Selector = {
	length: 4,
	by: 'fib',
	parameters: [NFT_FIB_RESULT_ADDRTYPE, NFTA_FIB_F_SADDR],
};
export const destinationAddressType: Selector = {
	length: 4,
	by: 'fib',
	parameters: [NFT_FIB_RESULT_ADDRTYPE, NFTA_FIB_F_DADDR],
};

/** Loads selectors side by side, each filled up to four bytes, so that they are one key; the first one into the first register. */
export function load(...selectors: readonly Selector[]): Attribute[] {
	let offset = 0;
	return selectors.map(({ length, by, parameters }) => {
		const register = be32(DESTINATION_REGISTER, registerAt(offset));
		offset += (length + 3) & ~3;
		return expression(by, register, ...parameters.map((value, at) => be32(FIRST_PARAMETER + at, value)));
	});
}
