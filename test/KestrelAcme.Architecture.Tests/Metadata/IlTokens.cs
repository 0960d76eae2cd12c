using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;

namespace KestrelAcme.Architecture.Tests.Metadata;

/// <summary>Finds the metadata tokens in a method's instructions.</summary>
internal static class IlTokens
{
    private static readonly Dictionary<ushort, OpCode> OpCodes = typeof(OpCodes).GetFields()
        .Select(field => field.GetValue(null)).OfType<OpCode>().ToDictionary(code => unchecked((ushort)code.Value));

    public static IEnumerable<EntityHandle> Read(MethodBodyBlock body)
    {
        List<EntityHandle> tokens = [];
        var il = body.GetILReader();
        while (il.RemainingBytes > 0)
        {
            ushort value = il.ReadByte();
            var code = OpCodes[value == 0xFE ? (ushort)(0xFE00 | il.ReadByte()) : value];
            if (code.OperandType is OperandType.InlineMethod or OperandType.InlineField or OperandType.InlineType
                or OperandType.InlineTok or OperandType.InlineSig)
            {
                tokens.Add(MetadataTokens.EntityHandle(il.ReadInt32()));
            }
            else if (code.OperandType == OperandType.InlineSwitch)
            {
                var targets = il.ReadInt32();
                il.Offset += 4 * targets;
            }
            else
            {
                il.Offset += Size(code.OperandType);
            }
        }

        return tokens;
    }

    private static int Size(OperandType operand) => operand switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        _ => 4,
    };
}
