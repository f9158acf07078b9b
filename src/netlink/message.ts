// Netlink messages: a header, a family's own fixed part, attributes. RFC 3549 §2.3, include/uapi/linux/netlink.h

import { errnoName } from '../linux/errno.ts';
import { type Attribute, decodeAttributes, decodeText } from './attribute.ts';
import { NetlinkError } from './netlink-error.ts';

const NLM_F_REQUEST = 0x1;
export const NLM_F_ACK = 0x4;
export const NLM_F_DUMP_INTR = 0x10;
export const NLM_F_DUMP = 0x300;
export const NLM_F_REPLACE = 0x100;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;
export const NLM_F_APPEND = 0x800;

const NLM_F_CAPPED = 0x100;
const NLM_F_ACK_TLVS = 0x200;

export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;
export const NLMSG_OVERRUN = 4;

const NLMSGERR_ATTR_MSG = 1;

const HEADER = 16;
const ERROR_FIXED = 4 + HEADER;

/** What to ask of the kernel. `operation` is how an error names it: "creating bridge \"m-dcos\"". */
export interface Request {
	readonly operation: string;
	readonly type: number;
	/** Besides NLM_F_REQUEST, which every request has. */
	readonly flags: number;
	/** The family's fixed part, such as ifinfomsg. */
	readonly fixed: Buffer;
	readonly attributes: readonly Attribute[];
	/** The kernel answers this only when it fails: in a transaction of nf_tables, all but the last change. */
	readonly unacknowledged?: true;
}

/** A message as it came from the kernel, without its header. */
export interface Message {
	readonly type: number;
	readonly flags: number;
	readonly sequence: number;
	readonly payload: Buffer;
}

/** The bytes of a request. */
export function encodeMessage(request: Request, sequence: number, extraFlags: number): Buffer {
	const header = Buffer.alloc(HEADER);
	const message = Buffer.concat([header, request.fixed, ...request.attributes]);
	const view = new DataView(message.buffer, message.byteOffset);
	view.setUint32(0, message.length, true);
	view.setUint16(4, request.type, true);
	view.setUint16(6, request.flags | extraFlags | NLM_F_REQUEST, true);
	view.setUint32(8, sequence, true);
	return message;
}

/** The messages of one datagram. Throws NetlinkError `EBADMSG` when a length points outside it. */
export function decodeMessages(datagram: Buffer): Message[] {
	const messages: Message[] = [];
	const view = new DataView(datagram.buffer, datagram.byteOffset);
	for (let offset = 0; offset < datagram.length;) {
		const room = datagram.length - offset;
		const length = room < HEADER ? 0 : view.getUint32(offset, true);
		if (length < HEADER || length > room) {
			throw new NetlinkError(
				'decoding a netlink message',
				'EBADMSG',
				`truncated at byte ${offset} of ${datagram.length}`,
			);
		}
		messages.push({
			type: view.getUint16(offset + 4, true),
			flags: view.getUint16(offset + 6, true),
			sequence: view.getUint32(offset + 8, true),
			payload: datagram.subarray(offset + HEADER, offset + length),
		});
		offset += (length + 3) & ~3;
	}
	return messages;
}

/**
 * What an NLMSG_ERROR or NLMSG_DONE message says of a request: undefined when it is an acknowledgement, else the error
 * with the text of the extended acknowledgement, if the kernel gave one.
 */
export function decodeAcknowledgement(message: Message, operation: string): NetlinkError | undefined {
	const { payload, type, flags } = message;
	if (payload.length < 4) {
		return type === NLMSG_DONE ? undefined : new NetlinkError(operation, 'EBADMSG', 'truncated acknowledgement');
	}
	const errno = -new DataView(payload.buffer, payload.byteOffset).getInt32(0, true);
	if (errno === 0) return undefined;
	return new NetlinkError(operation, errnoName(errno), extendedText(payload, type, flags));
}

function extendedText(payload: Buffer, type: number, flags: number): string | undefined {
	if ((flags & NLM_F_ACK_TLVS) === 0) return undefined;
	let offset = 4;
	if (type === NLMSG_ERROR) {
		if (payload.length < ERROR_FIXED) return undefined;
		const echoed = (flags & NLM_F_CAPPED) === 0 ? payload.readUInt32LE(4) - HEADER : 0;
		offset = ERROR_FIXED + ((echoed + 3) & ~3);
	}
	return offset > payload.length ? undefined : decodeText(decodeAttributes(payload, offset), NLMSGERR_ATTR_MSG);
}
