// Listens to what changes in the kernel: rtnetlink's multicast groups, include/uapi/linux/rtnetlink.h

import { errno, setsockopt, socket } from '#libc';
import { errnoName } from '../linux/errno.ts';
import { closeFile, writeNext } from '../linux/files.ts';
import { ifinfomsg } from './link-message.ts';
import { decodeMessages, encodeMessage, type Message } from './message.ts';
import { NetlinkError } from './netlink-error.ts';
import { AF_NETLINK, NETLINK_ROUTE, setSize, SO_RCVBUFFORCE, SOCK_RAW_CLOEXEC, SOL_NETLINK } from './socket.ts';

const NETLINK_ADD_MEMBERSHIP = 1;

/** The groups by what they tell. */
export const GROUPS = {
	link: 1,
	neighbour: 3,
	address4: 5,
	route4: 7,
	address6: 9,
	route6: 11,
	parameters4: 24,
	parameters6: 25,
} as const;

/** Room for what happens while nobody reads, in bytes: some ten thousand events. What does not fit is lost, ENOBUFS. */
const BACKLOG = 4 * 1024 * 1024;

/** Larger than what the kernel tells at a time. */
export const EVENT_SIZE = 65536;

const RTM_GETLINK = 18;
const LOOPBACK = 1;

export interface Subscription {
	/** To read datagrams from, at most {@link EVENT_SIZE} bytes each. */
	readonly descriptor: number;
	/** Makes something to read, so that who waits for it wakes up. */
	readonly wake: () => void;
	readonly close: () => void;
}

/** What has changed, and by whom. */
export interface Event extends Message {
	/** The number of the socket that asked for it, mostly that of its process; 0: the kernel, or not known. */
	readonly sender: number;
}

/** Subscribes to groups in the current network namespace. Throws NetlinkError. */
export function subscribe(groups: readonly number[]): Subscription {
	const descriptor = socket(AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_ROUTE);
	if (descriptor === -1) throw new NetlinkError('opening a netlink socket', errnoName(errno()));
	const request = {
		operation: '',
		type: RTM_GETLINK,
		flags: 0,
		fixed: ifinfomsg({ index: LOOPBACK }),
		attributes: [],
	};
	const subscription: Subscription = {
		descriptor,
		wake: () => void writeNext(descriptor, encodeMessage(request, 0, 0)),
		close: () => closeFile(descriptor),
	};
	try {
		setSize(descriptor, SO_RCVBUFFORCE, BACKLOG);
		for (const group of groups) join(descriptor, group);
		// Nothing is told to a socket without an address; the kernel gives it one when it sends.
		subscription.wake();
	} catch (error) {
		subscription.close();
		throw error;
	}
	return subscription;
}

function join(descriptor: number, group: number): void {
	const number = new Uint8Array(4);
	new DataView(number.buffer).setUint32(0, group, true);
	if (setsockopt(descriptor, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, number, 4) === 0) return;
	throw new NetlinkError(`subscribing to group ${group} of rtnetlink`, errnoName(errno()));
}

/** The events of a datagram. Throws NetlinkError `EBADMSG` when it is truncated. */
export function decodeEvents(datagram: Buffer): Event[] {
	return decodeMessages(datagram).map((message) => ({
		...message,
		// The header ends with it.
		sender: datagram.readUInt32LE(message.payload.byteOffset - datagram.byteOffset - 4),
	}));
}
