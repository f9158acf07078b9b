import test from 'ava';
import { bootId } from '../../src/linux/boot-id.ts';

test('the boot id is a UUID, and the same each time', (t) => {
	t.regex(bootId(), /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
	t.is(bootId(), bootId());
});
