//! The two irrational constants of the logarithm and the exponential function, to the largest working
//! precision. A test of `logarithm.rs` computes them again from series.

use super::fixed_point::WORDS_MAX;

/// ln 2, truncated.
pub(super) const LN_2: [u64; WORDS_MAX] = [
    0xcccc_4e65_9393_514c,
    0xc943_e732_b479_cd33,
    0x1746_0775_db89_90e5,
    0x7d2e_23de_1400_b396,
    0xee56_9d6d_fc1e_fa15,
    0x610d_30f8_8fe5_51a2,
    0x07f4_ca11_fb5b_fb90,
    0xda2d_97c5_0f3f_d5c6,
    0x655f_a187_2f20_e3a2,
    0xf5df_a6bd_3830_3248,
    0x72ce_87b1_9d65_48ca,
    0x256f_a0ec_7657_f74b,
    0xb9ea_9bc3_b136_603b,
    0x1acb_da11_317c_387e,
    0x3e96_ca16_224a_e8c5,
    0x2757_3b29_1169_b825,
    0xed2e_ae35_c138_2144,
    0x5595_52fb_4afa_1b10,
    0xe7b8_7620_6deb_ac98,
    0x8a0d_175b_8baa_fa2b,
    0x40f3_4326_7298_b62d,
    0xc9e3_b398_03f2_f6af,
    0xb172_17f7_d1cf_79ab,
    0,
];

/// ln 10, truncated.
pub(super) const LN_10: [u64; WORDS_MAX] = [
    0xd1fe_a5b7_ac9c_4182,
    0x15d9_7378_9a0c_e76f,
    0x902f_cf30_7850_49a9,
    0x6c74_a3a9_5f53_f703,
    0x91fb_2c9a_5e31_753f,
    0x7356_d0b9_a89c_5866,
    0x891e_3f2a_b4eb_ba62,
    0x1a7a_963a_4c17_a607,
    0x6c22_c15f_57b7_883d,
    0x3a4c_da35_11e2_713d,
    0x299e_cd6c_8d81_4216,
    0x4586_ed27_4867_1eef,
    0xbd9b_3ac1_2acf_1be9,
    0xd96a_9b0e_c360_c7ef,
    0xe0b3_e28a_2a32_4479,
    0xee3d_e210_0b94_5b59,
    0xb188_9061_042f_8b6b,
    0x31c3_2f00_b17c_35a0,
    0x58bc_0b5e_c6a0_4173,
    0x0f18_7a08_07c0_b5ca,
    0x8a3f_b3e7_6977_e43a,
    0xa95b_58ae_0b4c_28a3,
    0x4d76_3776_aaa2_b05b,
    2,
];
