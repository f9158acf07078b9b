// Comments on tables, sets and elements, as nft writes and shows them: type, length, text with its zero. libnftnl/udata.h

import { hash64 } from '../linux/hash.ts';
import { NetlinkError } from './netlink-error.ts';

/** The type of a comment on a table or on an element; sets have other things under this number. */
const COMMENT = 0;

/** In bytes. nft takes no longer ones, NFTNL_UDATA_COMMENT_MAXLEN. */
const LONGEST = 128;
const HASH_LENGTH = 13;
const FILLER = 0x7e; // ~

const encoder = new TextEncoder();

/** The bytes of a comment. Throws NetlinkError `EINVAL` when it is longer than nft can show; see {@link shortenComment}. */
export function encodeComment(comment: string, type = COMMENT): Uint8Array {
	const text = encoder.encode(`${comment}\0`);
	if (text.length > LONGEST + 1) {
		throw new NetlinkError('encoding a comment', 'EINVAL', `"${comment}" has more than ${LONGEST} bytes`);
	}
	const encoded = new Uint8Array(2 + text.length);
	encoded[0] = type;
	encoded[1] = text.length;
	encoded.set(text, 2);
	return encoded;
}

/** The comment among user data, or undefined when there is none, or what is there is not nft's. */
export function decodeComment(userData: Buffer | undefined, type = COMMENT): string | undefined {
	for (let offset = 0; userData !== undefined && offset + 2 <= userData.length;) {
		const end = offset + 2 + (userData[offset + 1] ?? 0);
		if (userData[offset] === type) {
			const isText = end <= userData.length && end > offset + 2 && userData[end - 1] === 0;
			return isText ? userData.toString('utf8', offset + 2, end - 1) : undefined;
		}
		offset = end;
	}
	return undefined;
}

/**
 * A text that fits into a comment: itself below 128 bytes, else 128 bytes of its beginning and its hash. So a comment of
 * 128 bytes is always a shortened one, and what is equal afterwards was equal before, as far as 62 bits of hash tell.
 */
export function shortenComment(text: string): string {
	const bytes = encoder.encode(text);
	if (bytes.length < LONGEST) return text;
	let length = LONGEST - HASH_LENGTH - 1;
	// Not through the middle of a character.
	while (((bytes[length] ?? 0) & 0xc0) === 0x80) length--;
	const short = Buffer.alloc(LONGEST, FILLER);
	short.set(bytes.subarray(0, length));
	short.set(encoder.encode(hash64(text)), LONGEST - HASH_LENGTH);
	return short.toString();
}
