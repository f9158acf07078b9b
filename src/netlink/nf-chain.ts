// Chains of nf_tables. include/uapi/linux/netfilter/nf_tables.h, netfilter.h

import { be32, decodeBytes, nested, text } from './attribute.ts';
import type { Connection } from './connection.ts';
import { NLM_F_CREATE, type Request } from './message.ts';
import { isKernelError } from './netlink-error.ts';
import { decodeNftMessage, nftRequest, type Table } from './nf-message.ts';

const NFT_MSG_NEWCHAIN = 3;
const NFT_MSG_GETCHAIN = 4;

const NFTA_CHAIN_TABLE = 1;
const NFTA_CHAIN_NAME = 3;
const NFTA_CHAIN_HOOK = 4;
const NFTA_CHAIN_POLICY = 5;
const NFTA_CHAIN_TYPE = 7;
const NFTA_HOOK_HOOKNUM = 1;
const NFTA_HOOK_PRIORITY = 2;

const NF_DROP = 0;
const NF_ACCEPT = 1;

/** By number, of tables for IP as for bridges: enum nf_inet_hooks, NF_BR_PRE_ROUTING and the next. */
const HOOKS = ['prerouting', 'input', 'forward', 'output', 'postrouting'] as const;

/** Where packets enter a chain. */
export interface Hook {
	readonly type: 'filter' | 'nat';
	readonly hook: (typeof HOOKS)[number];
	/** Lower ones come first. */
	readonly priority: number;
	/** What becomes of packets that all rules let pass; accept when absent. */
	readonly policy?: 'accept' | 'drop';
}

/** Creates a chain, or leaves the one that is there: at a hook, or without one, to be jumped to. */
export function createChain(table: Table, name: string, hook?: Hook): Request {
	const attributes = [text(NFTA_CHAIN_TABLE, table.name), text(NFTA_CHAIN_NAME, name)];
	if (hook !== undefined) {
		const number = be32(NFTA_HOOK_HOOKNUM, HOOKS.indexOf(hook.hook));
		attributes.push(
			nested(NFTA_CHAIN_HOOK, number, be32(NFTA_HOOK_PRIORITY, hook.priority)),
			be32(NFTA_CHAIN_POLICY, hook.policy === 'drop' ? NF_DROP : NF_ACCEPT),
			text(NFTA_CHAIN_TYPE, hook.type),
		);
	}
	return nftRequest(table, `creating chain "${name}"`, NFT_MSG_NEWCHAIN, NLM_F_CREATE, attributes);
}

/** What becomes of packets that all rules of a chain let pass; undefined when there is no such chain, or it is at no hook. */
export function findPolicy(connection: Connection, table: Table, name: string): 'accept' | 'drop' | undefined {
	const attributes = [text(NFTA_CHAIN_TABLE, table.name), text(NFTA_CHAIN_NAME, name)];
	try {
		return decodePolicy(
			connection.get(nftRequest(table, `looking for chain "${name}"`, NFT_MSG_GETCHAIN, 0, attributes)),
		);
	} catch (error) {
		if (isKernelError(error, 'ENOENT')) return undefined;
		throw error;
	}
}

/** Decodes the policy that NFT_MSG_NEWCHAIN carries. Throws NetlinkError `EBADMSG` when it is truncated. */
function decodePolicy(payload: Buffer): 'accept' | 'drop' | undefined {
	const policy = decodeBytes(decodeNftMessage(payload, 'a chain'), NFTA_CHAIN_POLICY);
	if (policy === undefined) return undefined;
	return policy.at(-1) === NF_DROP ? 'drop' : 'accept';
}
