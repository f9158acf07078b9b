import { spawnSync } from 'node:child_process';
import test from 'ava';
import { withUndo } from '../../src/bridge/undo.ts';

test('what succeeds is not taken back', async (t) => {
	const taken: string[] = [];
	const value = await withUndo(async (undo) => {
		undo('one', () => void taken.push('one'));
		return 7;
	});
	t.is(value, 7);
	t.deepEqual(taken, []);
});

test('what fails is taken back, the last first, each waited for', async (t) => {
	const taken: string[] = [];
	const cause = new Error('no');
	const work = withUndo(async (undo) => {
		undo('one', () => void taken.push('one'));
		undo('two', async () => {
			await new Promise((resolve) => setTimeout(resolve, 20));
			taken.push('two');
		});
		undo('three', () => void taken.push('three'));
		throw cause;
	});
	t.is(await t.throwsAsync(work), cause);
	t.deepEqual(taken, ['three', 'two', 'one']);
});

test('what cannot be taken back is told on stderr, and does not stop the rest', (t) => {
	const program = `
		import { withUndo } from ${JSON.stringify(new URL('../../src/bridge/undo.ts', import.meta.url).href)};
		await withUndo(async (undo) => {
			undo('the lease', () => console.log('released'));
			undo('bridge "b"', () => { throw new Error('device is busy'); });
			undo('interface "v"', async () => { throw 'text'; });
			throw new Error('the first error');
		}).catch((error) => console.log(error.message));
	`;
	const { stdout, stderr } = spawnSync(process.execPath, ['--no-warnings', '--input-type=module', '-e', program], {
		encoding: 'utf8',
	});
	t.is(stdout, 'released\nthe first error\n');
	t.is(
		stderr,
		'mesos-overlay: taking back interface "v": text\nmesos-overlay: taking back bridge "b": device is busy\n',
	);
});
