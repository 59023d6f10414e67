-- fine
UPDATE findings SET note = 'café';
