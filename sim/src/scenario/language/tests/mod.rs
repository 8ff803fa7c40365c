mod page;
mod schema;
