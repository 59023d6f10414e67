COPY findings FROM stdin;
