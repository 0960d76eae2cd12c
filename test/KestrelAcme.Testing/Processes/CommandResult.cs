namespace KestrelAcme.Testing.Processes;

/// <summary>How a command ended, and what it wrote.</summary>
public sealed record CommandResult(int ExitCode, string StandardOutput, string StandardError)
{
    /// <summary>Both outputs, for messages.</summary>
    public string Output => $"{StandardOutput}\n{StandardError}".Trim();
}
