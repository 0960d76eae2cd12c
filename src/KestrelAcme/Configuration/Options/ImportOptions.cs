namespace KestrelAcme.Configuration;

/// <summary>
/// The folder of another ACME client, whose certificates and account are taken over: an element of <see
/// cref="AcmeHttpsOptions.ImportFrom"/>.
/// </summary>
public sealed class ImportOptions
{
    /// <summary>
    /// The folder, such as <c>/etc/letsencrypt</c>. Relative paths are resolved against the content root. KestrelAcme only reads it.
    /// </summary>
    /// <value>None: required.</value>
    public string? Path { get; set; }

    /// <summary>The client that wrote the folder.</summary>
    /// <value><see langword="null"/>: recognized by its files.</value>
    public ImportKind? Kind { get; set; }

    /// <summary>The password of the PFX files of LettuceEncrypt. It is a secret and never logged.</summary>
    /// <value>None. Set this or <see cref="PasswordFile"/>, if the files have a password.</value>
    public string? Password { get; set; }

    /// <summary>
    /// A file with the password of the PFX files, such as a mounted secret. Relative paths are resolved against the content root.
    /// </summary>
    /// <value>None. Set this or <see cref="Password"/>, if the files have a password.</value>
    public string? PasswordFile { get; set; }

    /// <summary>Returns the path, never the password.</summary>
    public override string ToString() => $"import from '{Path}'";
}

/// <summary>An ACME client whose folder can be imported.</summary>
public enum ImportKind
{
    /// <summary>The folder <c>/etc/letsencrypt</c> with <c>live</c> and <c>accounts</c>.</summary>
    Certbot,

    /// <summary>The folder of <c>PersistDataToDirectory</c> with <c>certs</c> and <c>accounts</c>, or PFX files.</summary>
    LettuceEncrypt,

    /// <summary>The folder with files such as <c>example.com-0123456789ab.crt.pem</c>.</summary>
    AutoHttps,

    /// <summary>The folder of Posh-ACME, with a subfolder for each CA.</summary>
    PoshAcme,

    /// <summary>The folder of Caddy, or of another program with CertMagic, with <c>certificates</c> and <c>acme</c>.</summary>
    Caddy,
}

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
