namespace KestrelAcme.Testing.Processes;

/// <summary>The exit code and output of a command.</summary>
public sealed record CommandResult(int ExitCode, string StandardOutput, string StandardError)
{
    /// <summary>Both outputs, for messages.</summary>
    public string Output => $"{StandardOutput}\n{StandardError}".Trim();
}
