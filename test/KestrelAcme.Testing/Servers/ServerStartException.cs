namespace KestrelAcme.Testing.Servers;

/// <summary>A real server ended instead of starting. The message quotes its output.</summary>
public sealed class ServerStartException(string message) : Exception(message);
