// Plays the kernel's side of a netlink conversation: a function from decoded requests to the datagrams that answer them.
import { constants } from 'node:os';
import { text } from '../../src/netlink/attribute.ts';
import { type Connection, connect, type Transport } from '../../src/netlink/connection.ts';
import {
	decodeMessages,
	type Message,
	NLM_F_ACK,
	NLM_F_DUMP,
	NLM_F_DUMP_INTR,
	NLMSG_DONE,
	NLMSG_ERROR,
	NLMSG_OVERRUN,
} from '../../src/netlink/message.ts';
import { NetlinkError } from '../../src/netlink/netlink-error.ts';

const NLM_F_MULTI = 0x2;
const NLM_F_CAPPED = 0x100;
const NLM_F_ACK_TLVS = 0x200;
const NLMSGERR_ATTR_MSG = 1;

export type Errno = keyof typeof constants.errno;

/** What the kernel answers to one request: datagrams, none when it keeps silent. */
export type Answer = (request: Message) => readonly Buffer[];

export interface FakeKernel extends Transport {
	/** All that was asked so far, in order. */
	readonly requests: readonly Message[];
	/** How many requests each datagram had. */
	readonly datagrams: readonly number[];
	readonly closed: boolean;
}

/** A transport behind which a function answers. When it has said all, `receive` times out, as a socket does. */
export function fakeKernel(answer: Answer): FakeKernel {
	const requests: Message[] = [];
	const datagrams: number[] = [];
	const answers: Buffer[] = [];
	const place = Buffer.alloc(32768);
	let closed = false;
	return {
		requests,
		datagrams,
		get closed() {
			return closed;
		},
		send(bytes) {
			const datagram = Buffer.from(bytes);
			// As netlink_sendmsg in net/netlink/af_netlink.c does.
			if (datagram.length === 0) throw new NetlinkError('sending to the kernel', 'ENODATA');
			const messages = decodeMessages(datagram);
			datagrams.push(messages.length);
			requests.push(...messages);
			for (const message of messages) answers.push(...answer(message));
		},
		receive() {
			const datagram = answers.shift();
			if (datagram === undefined) {
				throw new NetlinkError('waiting for the kernel', 'ETIMEDOUT', 'no answer');
			}
			// As a socket does: into the place of the one before, which is no longer what it was.
			place.fill(0xee);
			return place.subarray(0, datagram.copy(place));
		},
		close() {
			closed = true;
		},
	};
}

/** A connection that notes down, by their names, the requests that were executed, asked or dumped. */
export function narrated(transport: Transport): { readonly connection: Connection; readonly story: string[] } {
	const connection = connect(transport);
	const story: string[] = [];
	return {
		story,
		connection: {
			execute(...requests) {
				story.push(...requests.map(({ operation }) => operation));
				connection.execute(...requests);
			},
			executeEach(requests) {
				story.push(...requests.map(({ operation }) => operation));
				return connection.executeEach(requests);
			},
			get(request) {
				story.push(request.operation);
				return connection.get(request);
			},
			dump(request) {
				story.push(request.operation);
				return connection.dump(request);
			},
			close: () => connection.close(),
		},
	};
}

/** Agrees to everything, and has nothing: acknowledges, ends dumps, knows no object, and lets transactions begin and end. */
export const agreeable: Answer = (request) => {
	if ((request.flags & NLM_F_ACK) !== 0) return [acknowledgement(request)];
	if ((request.flags & NLM_F_DUMP) === NLM_F_DUMP) return dump(request, []);
	return isOfTransaction(request) ? [] : [refusal(request, 'ENODEV')];
};

/**
 * NFNL_MSG_BATCH_BEGIN and NFNL_MSG_BATCH_END, whose numbers are those of RTM_NEWLINK and RTM_DELLINK, too, and all of
 * nf_tables but NFT_MSG_GETTABLE and every third behind it.
 */
function isOfTransaction({ type }: Message): boolean {
	return type === 0x10 || type === 0x11 || (type >> 8 === 10 && (type & 0xff) % 3 !== 1);
}

/** One message that answers a request. */
export function message(
	{ sequence }: Pick<Message, 'sequence'>,
	type: number,
	payload: Uint8Array = new Uint8Array(0),
	flags = 0,
): Buffer {
	const header = Buffer.alloc(16);
	header.writeUInt32LE(16 + payload.length, 0);
	header.writeUInt16LE(type, 4);
	header.writeUInt16LE(flags, 6);
	header.writeUInt32LE(sequence, 8);
	return Buffer.concat([header, payload, Buffer.alloc(-payload.length & 3)]);
}

/** "Done as you asked." */
export function acknowledgement(request: Message): Buffer {
	return message(request, NLMSG_ERROR, Buffer.concat([int32(0), headerOf(request)]), NLM_F_CAPPED);
}

/** "No", with the text of the extended acknowledgement; uncapped, the whole request stands before that text. */
export function refusal(
	request: Message,
	errno: Errno,
	options: { readonly text?: string; readonly uncapped?: boolean } = {},
): Buffer {
	const said = options.text === undefined ? [] : [text(NLMSGERR_ATTR_MSG, options.text)];
	const echo = options.uncapped ? [request.payload, Buffer.alloc(-request.payload.length & 3)] : [];
	const flags = (options.uncapped ? 0 : NLM_F_CAPPED) | (said.length > 0 ? NLM_F_ACK_TLVS : 0);
	const parts = [int32(-constants.errno[errno]), headerOf(request), ...echo, ...said];
	return message(request, NLMSG_ERROR, Buffer.concat(parts), flags);
}

/** The objects of a dump, one datagram for all and one for the end, as the kernel sends them. */
export function dump(
	request: Message,
	payloads: readonly Uint8Array[],
	options: { readonly interrupted?: boolean } = {},
): Buffer[] {
	const flags = NLM_F_MULTI | (options.interrupted ? NLM_F_DUMP_INTR : 0);
	const objects = payloads.map((payload) => message(request, 0x10, payload, flags));
	const end = message(request, NLMSG_DONE, int32(0), flags);
	return objects.length === 0 ? [end] : [Buffer.concat(objects), end];
}

/** A dump that the kernel cannot go on with. */
export function failingDump(request: Message, errno: Errno, said?: string): Buffer {
	const attributes = said === undefined ? [] : [text(NLMSGERR_ATTR_MSG, said)];
	const flags = NLM_F_MULTI | (said === undefined ? 0 : NLM_F_ACK_TLVS);
	return message(request, NLMSG_DONE, Buffer.concat([int32(-constants.errno[errno]), ...attributes]), flags);
}

/** "Some of the answer was lost." */
export function overrun(request: Message): Buffer {
	return message(request, NLMSG_OVERRUN);
}

/** An answer to something that was not asked. */
export function answerToAnother(request: Message, distance = 7): Message {
	return { ...request, sequence: request.sequence + distance };
}

/** A datagram of which the end is missing. */
export function truncated(datagram: Buffer, missing = 1): Buffer {
	return datagram.subarray(0, datagram.length - missing);
}

function headerOf({ type, flags, sequence, payload }: Message): Buffer {
	const header = Buffer.alloc(16);
	header.writeUInt32LE(16 + payload.length, 0);
	header.writeUInt16LE(type, 4);
	header.writeUInt16LE(flags, 6);
	header.writeUInt32LE(sequence, 8);
	return header;
}

function int32(value: number): Buffer {
	const bytes = Buffer.alloc(4);
	bytes.writeInt32LE(value);
	return bytes;
}
