// Listens to what changes in the kernel: multicast groups of netlink, include/uapi/linux/rtnetlink.h, netfilter/nfnetlink.h

import { errno, setsockopt, socket } from '#libc';
import { errnoName } from '../linux/errno.ts';
import { closeFile, writeNext } from '../linux/files.ts';
import type { Connection } from './connection.ts';
import { getLink } from './link.ts';
import { decodeMessages, encodeMessage, type Message, NLM_F_ACK, NLMSG_ERROR } from './message.ts';
import { NetlinkError } from './netlink-error.ts';
import { AF_NETLINK, setSize, SO_RCVBUFFORCE, SOCK_RAW_CLOEXEC, SOL_NETLINK } from './socket.ts';

const NETLINK_ADD_MEMBERSHIP = 1;

/** The groups of rtnetlink, by what they tell. */
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

/** The group of netfilter that tells of nf_tables. */
export const NFNLGRP_NFTABLES = 7;

/** Room for what happens while nobody reads, in bytes: some ten thousand events. What does not fit is lost, ENOBUFS. */
const BACKLOG = 4 * 1024 * 1024;

/** Larger than what the kernel tells at a time. */
export const EVENT_SIZE = 65536;

const LOOPBACK = 1;
/** A request for nothing, NLMSG_NOOP. */
const NOTHING = { operation: '', type: 1, flags: NLM_F_ACK, fixed: Buffer.alloc(0), attributes: [] };

export interface Subscription {
	/** To read datagrams from, at most {@link EVENT_SIZE} bytes each. */
	readonly descriptor: number;
	/**
	 * Makes something to read, so that who waits for it wakes up: what {@link isAnswer} knows, behind all that has happened so
	 * far. There is one already at the beginning.
	 */
	readonly wake: () => void;
	readonly close: () => void;
}

/** What has changed, and by whom. */
export interface Event extends Message {
	/** The number of the socket that asked for it, mostly that of its process; 0: the kernel, or not known. */
	readonly sender: number;
}

/** Subscribes to groups of a part of the kernel, as openConnection has them, in the current network namespace. Throws NetlinkError. */
export function subscribe(protocol: number, groups: readonly number[]): Subscription {
	const descriptor = socket(AF_NETLINK, SOCK_RAW_CLOEXEC, protocol);
	if (descriptor === -1) throw new NetlinkError('opening a netlink socket', errnoName(errno()));
	const subscription: Subscription = {
		descriptor,
		wake: () => void writeNext(descriptor, encodeMessage(NOTHING, 0, 0)),
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
	throw new NetlinkError(`subscribing to group ${group} of netlink`, errnoName(errno()));
}

/** Whether a message is the answer to a `wake`: the kernel tells of no error but to who asked. */
export function isAnswer({ type }: Message): boolean {
	return type === NLMSG_ERROR;
}

/** The events of a datagram. Throws NetlinkError `EBADMSG` when it is truncated. */
export function decodeEvents(datagram: Buffer): Event[] {
	return decodeMessages(datagram).map((message) => ({ ...message, sender: portBefore(message.payload) }));
}

/** The number by which events tell that something was asked for over a connection of rtnetlink. Throws NetlinkError. */
export function portOf(route: Connection): number {
	return portBefore(route.get(getLink(LOOPBACK)));
}

/** The header of a message ends with it. */
function portBefore({ buffer, byteOffset }: Buffer): number {
	return new DataView(buffer, byteOffset - 4).getUint32(0, true);
}
