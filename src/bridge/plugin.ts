// The main plugin: attaches containers to a bridge.

import type { Plugin } from '../cni/plugin.ts';
import type { Request } from '../cni/request.ts';
import { armWatchdog } from '../linux/watchdog.ts';
import { add } from './add.ts';
import { check } from './check.ts';
import { del } from './del.ts';
import { gc } from './gc.ts';
import { status } from './status.ts';

/** Mesos sets no limit to a plugin's time, so whatever the kernel does, we do. */
function bounded<T>(verb: (request: Request) => Promise<T>): (request: Request) => Promise<T> {
	return (request) => {
		armWatchdog(request.deadline);
		return verb(request);
	};
}

export const bridgePlugin: Plugin = {
	about: 'attaches a container to a Mesos overlay network',
	add: bounded(add),
	del: bounded(del),
	check: bounded(check),
	gc: bounded(gc),
	status: bounded(status),
};
