"""The chat page. ``streamlit run app/client/page/main.py`` starts it; the API key stays here."""
