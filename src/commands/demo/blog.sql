-- The blog of the demo: a table of posts as a Phoenix or Rails application would have it. tintype is told nothing more about it.
CREATE SCHEMA tintype_demo;
CREATE TABLE tintype_demo.posts (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slug         text NOT NULL UNIQUE,
    title        text,
    author       text,
    body         text NOT NULL,
    tags         text[] NOT NULL DEFAULT '{}',
    published_on date,
    views        integer NOT NULL DEFAULT 0,
    og_image_url text,
    inserted_at  timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now()
);
