// When the agent counts as started, so that Mesos and Docker, which are ordered after it, find the networks.

import { tellReady } from '../../linux/service-manager.ts';

/**
 * Milliseconds after which it counts as started in any case: a host that knows no state yet, and whose master is away,
 * boots all the same. systemd's own patience, 90 s, would end the agent.
 */
const PATIENCE = 10_000;

/** Gives what is to be called whenever the host is as it should be; the first time counts. */
export function startReadiness(): () => void {
	let isTold = false;
	const tell = (): void => {
		if (!isTold) tellReady();
		isTold = true;
	};
	setTimeout(tell, PATIENCE).unref();
	return tell;
}
