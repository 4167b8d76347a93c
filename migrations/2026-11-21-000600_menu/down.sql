DROP TABLE dishes;
DROP TABLE menu_categories;
