// What an ADD gives the host for all containers of a bridge: gateway, addresses, routes. One that fails takes it back,
// unless others use it.

import { listVlans } from '../netlink/bridge-vlan.ts';
import type { Connection } from '../netlink/connection.ts';
import { type Link, listPorts } from '../netlink/link.ts';
import { isHostInterfaceName, isOurs } from './names.ts';

/** The host's interface towards the containers: the bridge, or its interface in a VLAN. */
export interface HostSide {
	readonly host: Connection;
	readonly link: Link;
	/** Whether it serves containers besides the one that is being attached. */
	readonly isShared: () => boolean;
}

/**
 * Whether a bridge, or one of its VLANs (0: all of it), serves containers besides that with the port `ownPort`. Ports that
 * somebody else made do not count: they were there without what our containers need.
 */
export function servesOthers(host: Connection, bridge: Link, vlan: number, ownPort: string): boolean {
	return listPorts(host, bridge).some(
		(port) =>
			port.name !== ownPort &&
			// An ADD that is under way has perhaps named its port, and no more.
			(isOurs(port.alias) || (port.alias === '' && isHostInterfaceName(port.name))) &&
			(vlan === 0 || listVlans(host, port).some(({ first, native }) => native && first === vlan)),
	);
}
