namespace KestrelAcme.Testing.Servers;

/// <summary>A real server failed to start. The message quotes its output.</summary>
public sealed class ServerStartException(string message) : Exception(message);
