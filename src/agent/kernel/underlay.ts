// The device by which this host reaches the other hosts.

import { sameIp } from '../../ip/cidr.ts';
import { listAllAddresses } from '../../netlink/address.ts';
import type { Connection } from '../../netlink/connection.ts';
import { findLink, type Link } from '../../netlink/link.ts';
import { AgentError } from '../agent-error.ts';

/** The device that has the agent's address. Throws AgentError `noUnderlay` when none has, NetlinkError. */
export function findUnderlay(connection: Connection, ip: string): Link {
	const found = listAllAddresses(connection).find(({ cidr }) => sameIp(cidr.slice(0, cidr.indexOf('/')), ip));
	const link = found && findLink(connection, found.link);
	if (link !== undefined) return link;
	throw new AgentError(
		'noUnderlay',
		`looking for the device with address ${ip}: no device of this host has it; give one of "ip address" as --ip`,
	);
}
