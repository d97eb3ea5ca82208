const url = (base, { page = 1, size = 20, sort = "created_at", direction = "desc", ...filters } = {}) => `${base}?${new URLSearchParams({ page, size, sort: `${direction === "desc" ? "-" : ""}${sort}`, ...filters })}`;

console.log(url("https://api.example.com/v1/posts", { author: "ada", tags: "rust,postgres", published: true, since: "2026-01-01" }));
