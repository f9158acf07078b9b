// What a call of the IPAM plugin needs, in one piece: nothing of bridges, rules and netlink.

import { ipamPlugin } from './ipam/plugin.ts';
import { serve } from './serve.ts';

/** Returns the exit status. */
export function serveIpam(): Promise<number> {
	return serve(ipamPlugin);
}
