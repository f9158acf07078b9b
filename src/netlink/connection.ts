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

/** So many go into the usual buffer of a socket. */
const REQUESTS_AT_ONCE = 1000;

/** What carries datagrams to the kernel and back: a socket, or in tests a function that plays the kernel. */
export interface Transport {
	/** Sends requests, to which the kernel may answer at once with so many messages. */
	send(datagram: Uint8Array, answers: number): void;
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
	/**
	 * Has requests carried out in order, each whatever becomes of the others; a thousand of them are one datagram, of which
	 * the kernel acknowledges the last. Gives the errors, by the place of their request.
	 */
	executeEach(requests: readonly Request[]): Map<number, NetlinkError>;
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
		const datagram: Buffer[] = [];
		let open = 0;
		for (const request of requests) {
			if (!request.unacknowledged) open++;
			datagram.push(encodeMessage(request, ++lastSequence, request.unacknowledged ? 0 : NLM_F_ACK));
		}
		transport.send(Buffer.concat(datagram), requests.length);
		let failure: NetlinkError | undefined;
		while (open > 0) {
			for (const message of decodeMessages(transport.receive())) {
				if (message.sequence < first) continue;
				const request = requests[message.sequence - first];
				if (request === undefined) throw outOfSequence(message, first);
				if (message.type !== NLMSG_ERROR) continue;
				failure ??= decodeAcknowledgement(message, request.operation);
				// The kernel refused the transaction as a whole, and says nothing of its parts.
				if (failure !== undefined && message.sequence === first && request.unacknowledged) throw failure;
				if (!request.unacknowledged) open--;
			}
		}
		if (failure !== undefined) throw failure;
	}

	function executeEach(requests: readonly Request[]): Map<number, NetlinkError> {
		const failures = new Map<number, NetlinkError>();
		for (let from = 0; from < requests.length; from += REQUESTS_AT_ONCE) {
			executeSome(requests.slice(from, from + REQUESTS_AT_ONCE), from, failures);
		}
		return failures;
	}

	function executeSome(requests: readonly Request[], from: number, failures: Map<number, NetlinkError>): void {
		const first = lastSequence + 1;
		const last = lastSequence + requests.length;
		const datagram = requests.map((request) =>
			encodeMessage(request, ++lastSequence, lastSequence === last ? NLM_F_ACK : 0),
		);
		transport.send(Buffer.concat(datagram), requests.length);
		for (let isAnswered = false; !isAnswered;) {
			for (const message of decodeMessages(transport.receive())) {
				const at = message.sequence - first;
				if (at < 0 || message.type !== NLMSG_ERROR) continue;
				const request = requests[at];
				if (request === undefined) throw outOfSequence(message, first);
				const failure = decodeAcknowledgement(message, request.operation);
				if (failure !== undefined) failures.set(from + at, failure);
				isAnswered ||= message.sequence === last;
			}
		}
	}

	function get(request: Request): Buffer {
		const sequence = ++lastSequence;
		transport.send(encodeMessage(request, sequence, 0), 1);
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
		transport.send(encodeMessage(request, sequence, NLM_F_DUMP), 1);
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

	return { execute, executeEach, get, dump, close: () => transport.close() };
}

function outOfSequence(message: Message, expected: number): NetlinkError {
	return new NetlinkError(
		'reading an answer of the kernel',
		'EPROTO',
		`sequence number ${message.sequence} instead of ${expected}`,
	);
}
