// Tables of nf_tables. include/uapi/linux/netfilter/nf_tables.h

import { bytes, decodeBytes, text } from './attribute.ts';
import type { Connection } from './connection.ts';
import { NLM_F_CREATE, NLM_F_EXCL, type Request } from './message.ts';
import { isKernelError } from './netlink-error.ts';
import { decodeComment, encodeComment } from './nf-comment.ts';
import { decodeNftMessage, nftRequest, type Table } from './nf-message.ts';

const NFT_MSG_NEWTABLE = 0;
const NFT_MSG_GETTABLE = 1;
const NFT_MSG_DELTABLE = 2;

const NFTA_TABLE_NAME = 1;
const NFTA_TABLE_USERDATA = 6;

/**
 * Creates a table. With `exclusive`, `EEXIST` when there is one, so that of two who lay out the same table one succeeds;
 * without, one that is there keeps its comment and its contents.
 */
export function createTable(
	table: Table,
	options: { readonly comment?: string; readonly exclusive?: boolean } = {},
): Request {
	const attributes = [text(NFTA_TABLE_NAME, table.name)];
	if (options.comment !== undefined) attributes.push(bytes(NFTA_TABLE_USERDATA, encodeComment(options.comment)));
	const flags = NLM_F_CREATE | (options.exclusive === true ? NLM_F_EXCL : 0);
	return nftRequest(table, `creating table "${table.name}"`, NFT_MSG_NEWTABLE, flags, attributes);
}

/** Removes a table with all that is in it. `ENOENT` when it is not there. */
export function removeTable(table: Table): Request {
	return nftRequest(table, `removing table "${table.name}"`, NFT_MSG_DELTABLE, 0, [
		text(NFTA_TABLE_NAME, table.name),
	]);
}

/** The table with its comment, as kernels from 5.10 on keep it; undefined when it is not there. */
export function findTable(connection: Connection, table: Table): { readonly comment?: string } | undefined {
	const attributes = [text(NFTA_TABLE_NAME, table.name)];
	try {
		return decodeTable(
			connection.get(nftRequest(table, `looking for table "${table.name}"`, NFT_MSG_GETTABLE, 0, attributes)),
		);
	} catch (error) {
		if (isKernelError(error, 'ENOENT')) return undefined;
		throw error;
	}
}

/** Decodes what NFT_MSG_NEWTABLE carries. Throws NetlinkError `EBADMSG` when it is truncated. */
export function decodeTable(payload: Buffer): { readonly comment?: string } {
	const comment = decodeComment(decodeBytes(decodeNftMessage(payload, 'a table'), NFTA_TABLE_USERDATA));
	return { ...(comment !== undefined && { comment }) };
}
