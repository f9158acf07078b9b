// The conversations that an agent has with the kernel.

import { decodeFamily, getEthtoolFamily } from '../../netlink/checksum-offload.ts';
import type { Connection } from '../../netlink/connection.ts';
import { isKernelError } from '../../netlink/netlink-error.ts';
import { NETLINK_GENERIC, NETLINK_ROUTE, openConnection } from '../../netlink/socket.ts';
import { portOf } from '../../netlink/subscription.ts';

export interface Kernel {
	readonly route: Connection;
	readonly generic: Connection;
	/** The number of ethtool's family of messages; undefined: this kernel (before 5.6) has none. */
	readonly ethtool: number | undefined;
	/** The number of the socket of `route`, by which events tell whose change they are. */
	readonly port: number;
	close(): void;
}

/** Opens them in the current network namespace; nothing waits past `deadline` (ms of performance.now()). Throws NetlinkError. */
export function openKernel(deadline: number): Kernel {
	const route = openConnection(NETLINK_ROUTE, deadline);
	const generic = openConnection(NETLINK_GENERIC, deadline);
	const close = (): void => {
		route.close();
		generic.close();
	};
	try {
		return { route, generic, ethtool: findEthtool(generic), port: portOf(route), close };
	} catch (error) {
		close();
		throw error;
	}
}

function findEthtool(generic: Connection): number | undefined {
	try {
		return decodeFamily(generic.get(getEthtoolFamily()));
	} catch (error) {
		if (isKernelError(error, 'ENOENT')) return undefined;
		throw error;
	}
}
