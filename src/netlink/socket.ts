// Opens netlink sockets. A socket belongs to the network namespace in which it was opened, for ever.

import { errno, read, setsockopt, socket, write } from '#libc';
import { errnoName } from '../linux/errno.ts';
import { closeFile } from '../linux/files.ts';
import { awaitReadable } from '../linux/readable.ts';
import { connect, type Connection } from './connection.ts';
import { NetlinkError } from './netlink-error.ts';

// include/uapi/linux/netlink.h, include/linux/socket.h
export const AF_NETLINK = 16;
export const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
export const NETLINK_ROUTE = 0;
export const NETLINK_NETFILTER = 12;
export const NETLINK_GENERIC = 16;
const SOL_SOCKET = 1;
const SO_SNDBUFFORCE = 32;
export const SO_RCVBUFFORCE = 33;
export const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const NETLINK_GET_STRICT_CHK = 12;

/** The kernel never answers with more than 32 KiB at a time (`net/netlink/af_netlink.c`, netlink_dump). */
const DATAGRAM_SIZE = 32768;

/** What goes into the usual buffers of 208 KiB in any case: a message to the kernel, in bytes, and answers of this size. */
const SHORT_MESSAGE = 65536;
const FEW_ANSWERS = 128;
const ANSWER_SIZE = 1024;

const ON = Uint8Array.of(1, 0, 0, 0);

/**
 * Opens a connection to a part of the kernel (NETLINK_ROUTE, NETLINK_NETFILTER or NETLINK_GENERIC) in the current network namespace.
 * No read waits past `deadline` (ms of performance.now()). Throws NetlinkError.
 */
export function openConnection(protocol: number, deadline: number): Connection {
	const descriptor = socket(AF_NETLINK, SOCK_RAW_CLOEXEC, protocol);
	if (descriptor === -1) throw new NetlinkError('opening a netlink socket', errnoName(errno()));
	// Without these the kernel explains less and filters less; only then is a failure to set them of any consequence.
	for (const option of [NETLINK_CAP_ACK, NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK]) {
		setsockopt(descriptor, SOL_NETLINK, option, ON, 4);
	}
	const datagram = Buffer.allocUnsafeSlow(DATAGRAM_SIZE);
	// By system calls of its own: those of files.ts would be called so often in an ADD that the compiler is started for them.
	// Neither waits here, so that no signal interrupts them.
	return connect({
		send(message, answers) {
			if (answers > FEW_ANSWERS) setSize(descriptor, SO_RCVBUFFORCE, answers * ANSWER_SIZE);
			if (message.length > SHORT_MESSAGE) setSize(descriptor, SO_SNDBUFFORCE, message.length);
			if (write(descriptor, message, BigInt(message.length)) === -1) {
				throw new NetlinkError('sending to the kernel', errnoName(errno()));
			}
		},
		receive() {
			// An answer that is there already, as it is after every request, is read even past the deadline: to undo.
			if (!awaitReadable(descriptor, deadline)) {
				throw new NetlinkError('waiting for the kernel', 'ETIMEDOUT', 'no answer');
			}
			const length = read(descriptor, datagram, BigInt(datagram.length));
			if (length === -1) throw new NetlinkError('reading an answer of the kernel', errnoName(errno()));
			return datagram.subarray(0, length);
		},
		close: () => closeFile(descriptor),
	});
}

/** Sets the size of a buffer; the kernel doubles it, for what it needs itself. Where it must not be, what follows fails. */
export function setSize(descriptor: number, option: number, size: number): void {
	const value = new Uint8Array(4);
	new DataView(value.buffer).setUint32(0, size, true);
	setsockopt(descriptor, SOL_SOCKET, option, value, 4);
}
