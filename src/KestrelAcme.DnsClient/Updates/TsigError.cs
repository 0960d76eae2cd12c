namespace KestrelAcme.DnsClient.Updates;

/// <summary>What a server says about a signature (RFC 8945 section 3). Other numbers may occur.</summary>
public enum TsigError
{
    /// <summary>No error.</summary>
    NOERROR = 0,

    /// <summary>The signature is wrong: the secrets differ.</summary>
    BADSIG = 16,

    /// <summary>The server does not know the key by this name and algorithm.</summary>
    BADKEY = 17,

    /// <summary>The clocks differ too much.</summary>
    BADTIME = 18,

    /// <summary>The signature is cut too short.</summary>
    BADTRUNC = 22,
}
