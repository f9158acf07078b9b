// Work that is asked for again and again, and done once at a time.

export interface Serial {
	/** Has the work done from its beginning, now or when what runs is over. */
	run(): void;
	/** Lets what runs end, and begins nothing any more. */
	stop(): Promise<void>;
}

/** `work` tells its failures itself. */
export function createSerial(work: () => Promise<void>): Serial {
	let isDue = false;
	let isStopped = false;
	let running: Promise<void> | undefined;
	const workOff = async (): Promise<void> => {
		while (isDue && !isStopped) {
			isDue = false;
			await work();
		}
		running = undefined;
	};
	return {
		run: () => {
			isDue = true;
			running ??= workOff();
		},
		stop: async () => {
			isStopped = true;
			await running;
		},
	};
}
