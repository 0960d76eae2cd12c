namespace KestrelAcme.Configuration;

/// <summary>
/// A program that is run after the exported files of a certificate have changed, such as one that reloads a mail server. It is run without
/// a shell, and gets the folder in <c>RENEWED_LINEAGE</c> and the names in <c>RENEWED_DOMAINS</c>, separated by spaces, as a deploy hook of
/// certbot does, and the ID of the certificate in <c>ACME_CERTIFICATE_ID</c>. It delays and fails no renewal.
/// </summary>
public sealed class ExportHookOptions
{
    /// <summary>The full path of the program.</summary>
    /// <value>None: required.</value>
    public string? Program { get; set; }

    /// <summary>The arguments of the program. They are passed as they are.</summary>
    /// <value>None.</value>
    public IList<string> Arguments { get; set; } = [];

    /// <summary>The names of further environment variables of the app to pass to the program.</summary>
    /// <value>
    /// None. Always passed are <c>PATH</c>, <c>HOME</c>, <c>USER</c>, <c>LOGNAME</c>, <c>LANG</c>, <c>LC_*</c>, <c>TMPDIR</c> and
    /// <c>TZ</c>, and on Windows those of the system.
    /// </value>
    public IList<string> EnvironmentVariables { get; set; } = [];

    /// <summary>How long one run may take before the program is killed, with its children.</summary>
    /// <value>2 minutes. Allowed: 1 second to 1 hour.</value>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromMinutes(2);
}
