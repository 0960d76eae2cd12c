namespace KestrelAcme.TestApp;

/// <summary>Names this program to tests that start it within their own process.</summary>
public sealed class EntryPoint;
