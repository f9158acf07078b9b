// Opens netlink sockets. A socket belongs to the network namespace in which it was opened, for ever.

import { errno, setsockopt, socket } from '#libc';
import { errnoName } from '../linux/errno.ts';
import { closeFile, readNext, writeNext } from '../linux/files.ts';
import { awaitReadable } from '../linux/readable.ts';
import { connect, type Connection } from './connection.ts';
import { NetlinkError } from './netlink-error.ts';

// include/uapi/linux/netlink.h, include/linux/socket.h
const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
export const NETLINK_ROUTE = 0;
export const NETLINK_NETFILTER = 12;
const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const NETLINK_GET_STRICT_CHK = 12;

/** The kernel never answers with more than 32 KiB at a time (`net/netlink/af_netlink.c`, netlink_dump). */
const DATAGRAM_SIZE = 32768;

const ON = Uint8Array.of(1, 0, 0, 0);

/**
 * Opens a connection to a part of the kernel (NETLINK_ROUTE or NETLINK_NETFILTER) in the current network namespace.
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
	return connect({
		send: (message) => void attempt('sending to the kernel', () => writeNext(descriptor, message)),
		receive() {
			// An answer that is there already, as it is after every request, is read even past the deadline: to undo.
			if (!awaitReadable(descriptor, deadline))
				throw new NetlinkError('waiting for the kernel', 'ETIMEDOUT', 'no answer');
			return datagram.subarray(
				0,
				attempt('reading an answer of the kernel', () => readNext(descriptor, datagram)),
			);
		},
		close: () => closeFile(descriptor),
	});
}

function attempt(operation: string, call: () => number): number {
	try {
		return call();
	} catch (error) {
		const code = error instanceof Error && 'code' in error ? String(error.code) : 'EIO';
		throw new NetlinkError(operation, code);
	}
}
