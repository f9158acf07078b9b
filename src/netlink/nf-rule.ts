// Rules of nf_tables. include/uapi/linux/netfilter/nf_tables.h

import { type Attribute, decodeBytes, decodeText, nested, text } from './attribute.ts';
import type { Connection } from './connection.ts';
import { NLM_F_APPEND, NLM_F_CREATE, type Request } from './message.ts';
import { NetlinkError } from './netlink-error.ts';
import { decodeNftMessage, nftRequest, type Table } from './nf-message.ts';

const NFT_MSG_NEWRULE = 6;
const NFT_MSG_GETRULE = 7;

const NFTA_RULE_TABLE = 1;
const NFTA_RULE_CHAIN = 2;
const NFTA_RULE_EXPRESSIONS = 4;

/** Adds a rule at the end of a chain. */
export function appendRule(table: Table, chain: string, expressions: readonly Attribute[]): Request {
	return nftRequest(table, `adding a rule to chain "${chain}"`, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, [
		text(NFTA_RULE_TABLE, table.name),
		text(NFTA_RULE_CHAIN, chain),
		nested(NFTA_RULE_EXPRESSIONS, ...expressions),
	]);
}

/** A rule as the kernel has it. */
export interface Rule {
	readonly chain: string;
	/**
	 * Its expressions as this kernel writes them: the same bytes as long as nobody has edited the rule, but for counters in
	 * it. Not the bytes that it was made of.
	 */
	readonly expressions: Buffer;
}

/** The rules of a table, in their order within each chain. None without the table. */
export function listRules(connection: Connection, table: Table): Rule[] {
	return dumpRules(connection, table).map(decodeRule);
}

/** The rules of a chain in which a text occurs, as an interface's name does; the others are not decoded. */
export function findRules(connection: Connection, table: Table, chain: string, occurring: string): Rule[] {
	return dumpRules(connection, table, text(NFTA_RULE_CHAIN, chain))
		.filter((payload) => payload.includes(occurring))
		.map(decodeRule);
}

function dumpRules(connection: Connection, table: Table, ...only: readonly Attribute[]): Buffer[] {
	const attributes = [text(NFTA_RULE_TABLE, table.name), ...only];
	return connection.dump(
		nftRequest(table, `listing the rules of table "${table.name}"`, NFT_MSG_GETRULE, 0, attributes),
	);
}

/** Decodes what NFT_MSG_NEWRULE carries. Throws NetlinkError `EBADMSG` when it is truncated. */
export function decodeRule(payload: Buffer): Rule {
	const attributes = decodeNftMessage(payload, 'a rule');
	const chain = decodeText(attributes, NFTA_RULE_CHAIN);
	if (chain === undefined) throw new NetlinkError('decoding a rule', 'EBADMSG', 'truncated');
	return { chain, expressions: decodeBytes(attributes, NFTA_RULE_EXPRESSIONS) ?? Buffer.alloc(0) };
}
