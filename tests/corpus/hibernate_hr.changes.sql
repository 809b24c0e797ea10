-- change: a field
alter table employee add column last_name varchar(255);
alter table employee_aud add column last_name varchar(255);
-- change: an enum constant
alter table employee drop constraint employee_level_check;
alter table employee add constraint employee_level_check check (level in ('JUNIOR', 'SENIOR', 'LEAD', 'PRINCIPAL'));
-- change: a wider column
alter table employee alter column agency type varchar(1000);
-- change: an entity with its sequence
create sequence absence_seq start with 1 increment by 50;
create table absence (id bigint not null, employee_id bigint not null, from_day date, to_day date, primary key (id));
alter table absence add constraint FKabs foreign key (employee_id) references employee;
-- change: a unique key falls
alter table department drop constraint department_head_id_key;
