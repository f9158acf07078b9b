// A conversation with the kernel: requests go out, acknowledgements and answers come back, in order.

import {
	decodeAcknowledgement,
	decodeMessages,
	encodeMessage,
	NLM_F_ACK,
	NLM_F_DUMP,
	NLM_F_DUMP_INTR,
	NLMSG_DONE,
	NLMSG_ERROR,
	NLMSG_OVERRUN,
	type Message,
	type Request,
} from './message.ts';
import { NetlinkError } from './netlink-error.ts';

const DUMP_ATTEMPTS = 8;

/** What carries datagrams to the kernel and back: a socket, or in tests a function that plays the kernel. */
export interface Transport {
	send(datagram: Uint8Array): void;
	/** The next datagram, until the one after it is received; throws NetlinkError `ETIMEDOUT` past the deadline. */
	receive(): Buffer;
	close(): void;
}

export interface Connection {
	/**
	 * Has the requests carried out in order, all sent in one datagram. The kernel goes on after one that fails, so what
	 * is sent together must be undone together. Throws the first error.
	 */
	execute(...requests: readonly Request[]): void;
	/** The payload of the one object that a request asks for, until the next request. Throws the kernel's error, `ENODEV` for an absent link. */
	get(request: Request): Buffer;
	/** The payloads of all objects that a request asks for. A dump that was interrupted by a change is taken again. */
	dump(request: Request): Buffer[];
	close(): void;
}

/** A connection over a transport. An answer to an earlier request, which nobody waited for any more, is passed over. */
export function connect(transport: Transport): Connection {
	let lastSequence = 0;

	function execute(...requests: readonly Request[]): void {
		if (requests.length === 0) return;
		const first = lastSequence + 1;
		const datagram = requests.map((request) =>
			encodeMessage(request, ++lastSequence, request.unacknowledged ? 0 : NLM_F_ACK),
		);
		transport.send(Buffer.concat(datagram));
		let failure: NetlinkError | undefined;
		for (let open = requests.filter((request) => !request.unacknowledged).length; open > 0;) {
			for (const message of decodeMessages(transport.receive())) {
				if (message.sequence < first) continue;
				const request = requests[message.sequence - first];
				if (request === undefined) throw outOfSequence(message, first);
				if (message.type !== NLMSG_ERROR) continue;
				failure ??= decodeAcknowledgement(message, request.operation);
				// The kernel refused the transaction as a whole, and says nothing of its parts.
				if (request.unacknowledged && failure !== undefined) throw failure;
				open--;
			}
		}
		if (failure !== undefined) throw failure;
	}

	function get(request: Request): Buffer {
		const sequence = ++lastSequence;
		transport.send(encodeMessage(request, sequence, 0));
		for (;;) {
			for (const message of decodeMessages(transport.receive())) {
				if (message.sequence < sequence) continue;
				if (message.sequence !== sequence) throw outOfSequence(message, sequence);
				if (message.type !== NLMSG_ERROR) return message.payload;
				throw (
					decodeAcknowledgement(message, request.operation) ??
					new NetlinkError(request.operation, 'EBADMSG', 'the kernel acknowledged instead of answering')
				);
			}
		}
	}

	function dump(request: Request): Buffer[] {
		for (let attempt = 0; attempt < DUMP_ATTEMPTS; attempt++) {
			const payloads = dumpOnce(request);
			if (payloads !== undefined) return payloads;
		}
		throw new NetlinkError(
			request.operation,
			'EAGAIN',
			`the kernel's list changed during each of ${DUMP_ATTEMPTS} looks`,
		);
	}

	function dumpOnce(request: Request): Buffer[] | undefined {
		const sequence = ++lastSequence;
		transport.send(encodeMessage(request, sequence, NLM_F_DUMP));
		const payloads: Buffer[] = [];
		let interrupted = false;
		for (;;) {
			for (const message of decodeMessages(transport.receive())) {
				if (message.sequence < sequence) continue;
				if (message.sequence !== sequence) throw outOfSequence(message, sequence);
				interrupted ||= (message.flags & NLM_F_DUMP_INTR) !== 0;
				if (message.type === NLMSG_OVERRUN)
					throw new NetlinkError(request.operation, 'ENOBUFS', 'the answer was cut');
				if (message.type !== NLMSG_DONE && message.type !== NLMSG_ERROR) {
					payloads.push(Buffer.concat([message.payload]));
					continue;
				}
				const failure = decodeAcknowledgement(message, request.operation);
				if (failure !== undefined) throw failure;
				return interrupted ? undefined : payloads;
			}
		}
	}

	return { execute, get, dump, close: () => transport.close() };
}

function outOfSequence(message: Message, expected: number): NetlinkError {
	return new NetlinkError(
		'reading an answer of the kernel',
		'EPROTO',
		`sequence number ${message.sequence} instead of ${expected}`,
	);
}
