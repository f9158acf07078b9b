// What nf_tables tells of its changes: what goes, and at the end of each transaction who it was. include/uapi/linux/netfilter/nf_tables.h

import { decodeBytes, decodeText } from './attribute.ts';
import type { Message } from './message.ts';
import { decodeNftMessage, NFNL_SUBSYS_NFTABLES, type Table } from './nf-message.ts';

const NFT_MSG_NEWTABLE = 0;
const NFT_MSG_DELTABLE = 2;
const NFT_MSG_NEWCHAIN = 3;
const NFT_MSG_DELCHAIN = 5;
const NFT_MSG_DELRULE = 8;
const NFT_MSG_DELSET = 11;
const NFT_MSG_DELSETELEM = 14;
const NFT_MSG_NEWGEN = 15;

/** NFTA_TABLE_NAME, NFTA_CHAIN_TABLE, NFTA_RULE_TABLE, NFTA_SET_TABLE and NFTA_SET_ELEM_LIST_TABLE. */
const TABLE_NAME = 1;
const NFTA_CHAIN_NAME = 3;
const NFTA_CHAIN_POLICY = 5;
const NFTA_RULE_CHAIN = 2;
/** NFTA_SET_NAME and NFTA_SET_ELEM_LIST_SET. */
const SET_NAME = 2;
const NFTA_GEN_PROC_PID = 2;
const NFTA_GEN_PROC_NAME = 3;

/** include/uapi/linux/netfilter.h */
const NF_DROP = 0;

/** Something that was removed, a table that was made, or the policy that a chain has from now on. */
export type NfChange = { readonly table: Table } & (
	| { readonly kind: 'table' | 'newTable' }
	| { readonly kind: 'chain' | 'rule'; readonly chain: string }
	| { readonly kind: 'policy'; readonly chain: string; readonly drops: boolean }
	| { readonly kind: 'set' | 'element'; readonly set: string }
);

/** The end of a transaction: the process as the host numbers it, and its name. */
export interface NfEnd {
	readonly kind: 'end';
	readonly process: number;
	readonly name: string;
}

/** Undefined: a message about something else. Throws NetlinkError `EBADMSG` when it is truncated. */
export function decodeNfEvent({ type, payload }: Message): NfChange | NfEnd | undefined {
	if (type >> 8 !== NFNL_SUBSYS_NFTABLES) return undefined;
	const message = type & 0xff;
	if (message === NFT_MSG_NEWGEN) return decodeEnd(payload);
	return decodeChange(message, payload);
}

function decodeEnd(payload: Buffer): NfEnd {
	const attributes = decodeNftMessage(payload, 'the end of a transaction');
	const number = decodeBytes(attributes, NFTA_GEN_PROC_PID);
	return {
		kind: 'end',
		process: number?.length === 4 ? number.readUInt32BE() : 0,
		name: decodeText(attributes, NFTA_GEN_PROC_NAME) ?? '',
	};
}

function decodeChange(message: number, payload: Buffer): NfChange | undefined {
	const attributes = decodeNftMessage(payload, 'a change of nf_tables');
	const table = { family: payload[0] ?? 0, name: decodeText(attributes, TABLE_NAME) ?? '' };
	switch (message) {
		case NFT_MSG_NEWTABLE:
			return { kind: 'newTable', table };
		case NFT_MSG_DELTABLE:
			return { kind: 'table', table };
		case NFT_MSG_DELCHAIN:
			return { kind: 'chain', table, chain: decodeText(attributes, NFTA_CHAIN_NAME) ?? '' };
		case NFT_MSG_DELRULE:
			return { kind: 'rule', table, chain: decodeText(attributes, NFTA_RULE_CHAIN) ?? '' };
		case NFT_MSG_NEWCHAIN: {
			const policy = decodeBytes(attributes, NFTA_CHAIN_POLICY);
			const chain = decodeText(attributes, NFTA_CHAIN_NAME) ?? '';
			return { kind: 'policy', table, chain, drops: policy?.length === 4 && policy.readUInt32BE() === NF_DROP };
		}
		case NFT_MSG_DELSET:
			return { kind: 'set', table, set: decodeText(attributes, SET_NAME) ?? '' };
		case NFT_MSG_DELSETELEM:
			return { kind: 'element', table, set: decodeText(attributes, SET_NAME) ?? '' };
		default:
			return undefined;
	}
}
