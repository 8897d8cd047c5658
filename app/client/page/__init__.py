"""The chat page. ``streamlit run app/client/page/serve.py`` starts it; the API key stays here."""
