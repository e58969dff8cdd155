"""Who visits the simulated site, and what for. Invented people of invented companies."""

from __future__ import annotations

GUESTS: tuple[tuple[str, str], ...] = (
    ("Amelia Thornton", "Northwind Retail"),
    ("Karthik Subramanian", "Deccan Fire Safety"),
    ("Li Wei", "Northwind Retail"),
    ("Nandini Rao", "Brightpath Training"),
    ("José Ángel Muñoz", "Northwind Retail"),
    ("Aisha Bello", "Lumen Audit Partners"),
    ("Marek Dvořák", "Kestrel Telephony"),
    ("Sneha Kulkarni", "Sahyadri Facilities"),
    ("Oluwaseun Adeyemi", "Lumen Audit Partners"),
    ("Hanna Lindqvist", "Northwind Retail"),
    ("Rajesh Pillai", "Coolbreeze Air Systems"),
    ("Thandiwe Mokoena", "Brightpath Training"),
    ("Yusuf Demir", "Kestrel Telephony"),
    ("Eun-ji Choi", "Northwind Retail"),
    ("Pooja Agarwal", "Meadow Pantry Services"),
    ("Fiona MacLeod", "Lumen Audit Partners"),
    ("Abdul Rahman Shaikh", "Deccan Fire Safety"),
    ("Camila Rossi", "Northwind Retail"),
    ("Ganesh Jadhav", "Sahyadri Facilities"),
    ("Natsuki Mori", "Northwind Retail"),
    ("Varsha Menon", "Candidate"),
    ("Tobias Brandt", "Kestrel Telephony"),
    ("Leila Haddad", "Candidate"),
    ("Arjun Bhatt", "Coolbreeze Air Systems"),
    ("Chipo Ndlovu", "Candidate"),
    ("Sanjay Kale", "Meadow Pantry Services"),
    ("Ingrid Solberg", "Northwind Retail"),
    ("Devika Nambiar", "Candidate"),
    ("Patrick O’Connor", "Lumen Audit Partners"),
    ("Zarina Khan", "Brightpath Training"),
)

PURPOSES = ("Quality review", "Maintenance", "Interview", "Training", "Client visit", "Audit", "Delivery of equipment")
