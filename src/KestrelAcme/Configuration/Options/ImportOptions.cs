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
