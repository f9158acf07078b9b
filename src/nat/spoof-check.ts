// Anti-spoofing (`macspoofchk`): a port may send only with the MAC of its container.
//
// One table, whose rule looks into two sets: a packet costs the same whatever the number of containers, and what comes
// and goes with a container are elements.

import type { Connection } from '../netlink/connection.ts';
import { encodeMac } from '../netlink/link-message.ts';
import type { Request } from '../netlink/message.ts';
import { isKernelError, tolerating } from '../netlink/netlink-error.ts';
import {
	drop,
	loadEtherSource,
	loadInputInterface,
	matchSet,
	REGISTER_1,
	REGISTER_2,
} from '../netlink/nf-expression.ts';
import {
	addElements,
	appendRule,
	commit,
	createChain,
	createSet,
	createTable,
	listElements,
	NFPROTO_BRIDGE,
	removeElements,
	type Table,
} from '../netlink/nf-tables.ts';
import { NETLINK_NETFILTER, openConnection } from '../netlink/socket.ts';

const TABLE: Table = { family: NFPROTO_BRIDGE, name: 'mesos_overlay' };
const CHECKED = 'checked_ports';
const OWN = 'own_macs';
const CHAIN = 'prerouting';

/** NF_BR_PRE_ROUTING and NF_BR_PRI_NAT_DST_BRIDGED, include/uapi/linux/netfilter_bridge.h */
const HOOK = 0;
const PRIORITY = -300;

const NAME_LENGTH = 16;
/** In a key of several fields, each is filled up to four bytes. */
const PADDED_MAC_LENGTH = 8;

// How the nft tool names the types of keys, src/datatype.h of nftables: ifname, ether_addr, and six bits of shift a field.
const TYPE_ETHERADDR = 9;
const TYPE_IFNAME = 41;
const TYPE_BITS = 6;

/** Tells the nft tool that keys are not numbers in network byte order: NFTNL_UDATA_SET_KEYBYTEORDER, libnftnl/udata.h. */
const HOST_BYTE_ORDER = Uint8Array.of(0, 4, 1, 0, 0, 0);

function nameKey(port: string): Buffer {
	const key = Buffer.alloc(NAME_LENGTH);
	key.write(port);
	return key;
}

function macKey(port: string, mac: string): Buffer {
	return Buffer.concat([nameKey(port), encodeMac(mac)], NAME_LENGTH + PADDED_MAC_LENGTH);
}

/** The port's name at the beginning of a key. */
function portOf(key: Buffer): string {
	const name = key.toString('utf8', 0, NAME_LENGTH);
	const end = name.indexOf('\0');
	return end === -1 ? name : name.slice(0, end);
}

function layout(): Request[] {
	return [
		createTable(TABLE),
		createSet(TABLE, CHECKED, { type: TYPE_IFNAME, length: NAME_LENGTH, userData: HOST_BYTE_ORDER }),
		createSet(TABLE, OWN, {
			type: (TYPE_IFNAME << TYPE_BITS) | TYPE_ETHERADDR,
			length: NAME_LENGTH + PADDED_MAC_LENGTH,
		}),
		createChain(TABLE, CHAIN, HOOK, PRIORITY),
		appendRule(TABLE, CHAIN, [
			loadInputInterface(REGISTER_1),
			matchSet(CHECKED, REGISTER_1),
			loadEtherSource(REGISTER_2),
			matchSet(OWN, REGISTER_1, { absent: true }),
			drop(),
		]),
	];
}

/** From now on, a port may send with this MAC only. Throws NetlinkError, `EOPNOTSUPP` without nf_tables for bridges. */
export function allowOnlyMac(port: string, mac: string, deadline: number): void {
	const connection = openConnection(NETLINK_NETFILTER, deadline);
	try {
		const elements = [addElements(TABLE, OWN, [macKey(port, mac)]), addElements(TABLE, CHECKED, [nameKey(port)])];
		if (tolerating(['ENOENT'], () => commit(connection, ...elements))) return;
		if (tolerating(['EEXIST'], () => commit(connection, ...layout(), ...elements))) return;
		commit(connection, ...elements);
	} finally {
		connection.close();
	}
}

/** Forgets what was said of a port. */
export function forgetPort(port: string, deadline: number): void {
	forgetPorts((name) => name === port, deadline);
}

/** Forgets what was said of some ports, of whichever network. */
export function forgetPorts(isGone: (port: string) => boolean, deadline: number): void {
	const connection = openConnection(NETLINK_NETFILTER, deadline);
	try {
		const requests = [OWN, CHECKED].flatMap((set) => {
			const keys = keysOf(connection, set).filter((key) => isGone(portOf(key)));
			return keys.length === 0 ? [] : [removeElements(TABLE, set, keys)];
		});
		// Somebody may have been faster, or have flushed the table.
		if (requests.length > 0) tolerating(['ENOENT'], () => commit(connection, ...requests));
	} finally {
		connection.close();
	}
}

/** Whether a port may send with this MAC only, as {@link allowOnlyMac} had it. */
export function allowsOnlyMac(port: string, mac: string, deadline: number): boolean {
	const connection = openConnection(NETLINK_NETFILTER, deadline);
	try {
		const macs = keysOf(connection, OWN).filter((key) => portOf(key) === port);
		const isChecked = keysOf(connection, CHECKED).some((key) => portOf(key) === port);
		return isChecked && macs.length === 1 && macs[0]?.equals(macKey(port, mac)) === true;
	} finally {
		connection.close();
	}
}

function keysOf(connection: Connection, set: string): Buffer[] {
	try {
		return listElements(connection, TABLE, set);
	} catch (error) {
		// Without the table, or on a kernel without nf_tables, nothing was ever said.
		if (isKernelError(error, 'ENOENT', 'EINVAL', 'EOPNOTSUPP')) return [];
		throw error;
	}
}
